import Access
import CLinux
import Foundation
import Glibc
import Synchronization
import Wire

/// A push server under measurement: how it is started, and what is said to it.
protocol PushRival: AnyObject {
  var name: String { get }
  /// What is not installed; nil when it can be measured.
  var missing: String? { get }
  func start() throws -> PushTarget
  /// Subscribers to `groups` groups of `each`.
  func subscribers(groups: Int, each: Int) throws -> [Farm.Subscriber]
  /// One request that tells all of the groups the tag.
  func request(to groups: Range<Int>, tag: String) -> [UInt8]
}

/// Where a server listens that was started, and what it uses.
struct PushTarget {
  let child: Child
  /// The process that does the work.
  let pid: pid_t
  let port: UInt16
  let publishPort: UInt16

  /// The memory it made, with its share of what it made together with others, in bytes. Programs
  /// and libraries do not count: their share changes as other processes come and go.
  func memory() throws -> Double {
    let path = "/proc/\(pid)/smaps_rollup"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let kinds = ["Pss_Anon:", "Pss_Shmem:", "SwapPss:"]
    let sizes = text.split(separator: "\n").map { $0.split(separator: " ") }
      .filter { kinds.contains(String($0[0])) }.compactMap { Double($0[1]) }
    guard sizes.count == kinds.count else {
      throw BenchError.failed("\(path) does not tell \(kinds.joined(separator: " "))")
    }
    return sizes.reduce(0, +) * 1024
  }

  /// What its threads have computed so far, those that ended too, in microseconds.
  func processorTime() throws -> Double {
    // The times in /proc count who runs when a tick comes; who wakes by a timer wakes with one.
    let time = linux_process_time(pid)
    guard time >= 0 else { throw BenchError.failed("process \(pid) has no clock") }
    return time
  }
}

/// `higginsd push`, with tokens of an Attribute Server that consists of two files.
final class HigginsPush: PushRival {
  let name = "higginsd"
  let missing: String? = Nginx.missing
  private let stage: Stage
  private let key = String(repeating: "0123456789abcdef", count: 2)
  private var keys: Nginx?
  private var issuer: TokenIssuer?
  private var sequence: UInt64 = 0
  private var starts = 0

  init(stage: Stage) { self.stage = stage }

  func start() throws -> PushTarget {
    if keys == nil { try publishKeys() }
    starts += 1
    let ready = stage.path("push-\(starts).ready")
    let command = try stage.start(
      Program(
        stage.product("higginsd"),
        [
          "push", "--attributes-url", "http://127.0.0.1:\(keys?.port ?? 0)", "--service-key-file",
          stage.path("push-key"), "--push-listen", "127.0.0.1:0", "--signals-listen",
          "127.0.0.1:0", "--ready-file", ready,
        ], environment: stage.environment))
    command.closeInput()
    try stage.loop.wait("higginsd push", tick: 5) {
      if let status = command.child.status {
        throw BenchError.failed("higginsd push ended with \(status)")
      }
      return FileManager.default.fileExists(atPath: ready)
    }
    struct Ready: Decodable {
      let push: String
      let signals: String
    }
    let said = try JSONDecoder().decode(
      Ready.self, from: Data(contentsOf: URL(fileURLWithPath: ready)))
    guard let push = URL(string: said.push)?.port, let signals = URL(string: said.signals)?.port
    else { throw BenchError.failed("higginsd push does not say where it listens") }
    return PushTarget(
      child: command.child, pid: command.child.pid, port: UInt16(push),
      publishPort: UInt16(signals))
  }

  /// What a Push Service asks an Attribute Server for: who it is, and its keys.
  private func publishKeys() throws {
    let instance = InstanceID.zero
    let issuer = try TokenIssuer(instance: instance, seed: [UInt8](repeating: 7, count: 32))
    let info = ServerInfo(
      instance: instance, generation: "bench", push: nil, registration: "open", serverTime: 0)
    try stage.write("\(key)\n", to: "push-key")
    let keys = try Nginx(
      stage: stage, name: "keys",
      places: """
        location = \(Route.info) { alias info.json; }
        location = \(Route.keys) { alias keys.json; }
        """,
      files: [
        "info.json": try JSONEncoder().encode(info),
        "keys.json": try JSONEncoder().encode(issuer.keySet),
      ])
    _ = try keys.start()
    self.keys = keys
    self.issuer = issuer
  }

  private static func account(_ number: Int) -> AccountID? {
    AccountID(bytes: bytes(number))
  }

  private static func device(_ number: Int) -> DeviceID? {
    DeviceID(bytes: bytes(number))
  }

  private static func bytes(_ number: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: 12) + (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  func subscribers(groups: Int, each: Int) throws -> [Farm.Subscriber] {
    guard let issuer else { throw BenchError.failed("higginsd push was not started") }
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    let members = (0..<groups * each).map { ($0 % groups + 1, $0 / groups + 2) }
    return try Self.await {
      var subscribers: [Farm.Subscriber] = []
      for (group, place) in members {
        guard let account = Self.account(group), let device = Self.device(place) else { continue }
        let token = try await issuer.issue(
          account: account, device: device, audience: .push, scope: .sync, now: now,
          id: "\(group)-\(place)")
        let hello = try PushFrame.hello(token: token.text, frontier: .zero).encoded()
        subscribers.append(Farm.Subscriber(path: Route.push, hello: hello))
      }
      return subscribers
    }
  }

  /// Waits for what is asynchronous in a program that is not.
  private static func await<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) throws -> Value {
    let result = Mutex<Result<Value, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    Task {
      let value: Result<Value, any Error>
      do { value = .success(try await body()) } catch { value = .failure(error) }
      result.withLock { $0 = value }
      done.signal()
    }
    done.wait()
    guard let value = result.withLock({ $0 }) else { throw BenchError.interrupted }
    return try value.get()
  }

  func request(to groups: Range<Int>, tag: String) -> [UInt8] {
    sequence += 1
    guard let author = Self.device(1) else { return [] }
    let signals = groups.compactMap { group in
      Self.account(group + 1).map {
        #"{"account":"\#($0)","device":"\#(author)","sequence":\#(sequence),"trace":"\#(tag)"}"#
      }
    }
    let body = signals.count == 1 ? signals[0] : "[\(signals.joined(separator: ","))]"
    return Array(
      """
      POST \(Route.signals) HTTP/1.1\r
      Host: 127.0.0.1\r
      Authorization: Bearer \(key)\r
      Content-Type: application/json\r
      Content-Length: \(body.utf8.count)\r
      \r
      \(body)
      """.utf8)
  }
}

/// nchan, the push module of nginx, as Debian has it.
final class Nchan: PushRival {
  let name = "nchan"
  private let stage: Stage
  private let module = "/usr/lib/nginx/modules/ngx_nchan_module.so"
  private var starts = 0
  private var sequence = 0

  init(stage: Stage) { self.stage = stage }

  var missing: String? {
    FileManager.default.fileExists(atPath: module)
      ? Nginx.missing : "libnginx-mod-nchan is not installed"
  }

  func start() throws -> PushTarget {
    starts += 1
    let nginx = try Nginx(
      stage: stage, name: "nchan-\(starts)", module: module,
      places: """
        location ~ ^/sub/(.+)$ {
          nchan_subscriber websocket;
          nchan_channel_id $1;
          nchan_subscriber_first_message newest;
          nchan_websocket_ping_interval 25s;
        }
        location ~ ^/pub/(.+)$ {
          nchan_publisher;
          nchan_channel_id $1;
          nchan_message_buffer_length 1;
          nchan_message_timeout 60s;
        }
        """)
    return try nginx.start()
  }

  /// What one request tells is one channel, so all that are told together share it.
  func subscribers(groups: Int, each: Int) throws -> [Farm.Subscriber] {
    (0..<groups * each).map {
      Farm.Subscriber(path: each == 1 ? "/sub/\($0)" : "/sub/all")
    }
  }

  /// The same bytes as higginsd's devices read.
  func request(to groups: Range<Int>, tag: String) -> [UInt8] {
    sequence += 1
    let channel = groups.count == 1 ? "\(groups.lowerBound)" : "all"
    let body =
      #"{"at":1700000000000,"device":"00000000-0000-0000-0000-000000000001","#
      + #""sequence":\#(sequence),"trace":"\#(tag)","type":"signal"}"#
    return Array(
      """
      POST /pub/\(channel) HTTP/1.1\r
      Host: 127.0.0.1\r
      Content-Type: application/json\r
      Content-Length: \(body.utf8.count)\r
      \r
      \(body)
      """.utf8)
  }
}

/// One nginx with one worker, on a port of its own.
final class Nginx {
  static var missing: String? {
    Program.isInstalled("nginx") || FileManager.default.isExecutableFile(atPath: path)
      ? nil : "nginx is not installed"
  }
  /// Where Debian has it, which is not in everybody's PATH.
  private static let path = "/usr/sbin/nginx"

  private let stage: Stage
  private let name: String
  private(set) var port: UInt16

  init(
    stage: Stage, name: String, module: String? = nil, places: String, files: [String: Data] = [:]
  ) throws {
    self.stage = stage
    self.name = name
    port = try Self.freePort()
    try stage.makeFolder(name)
    for (file, content) in files {
      try stage.write(String(decoding: content, as: UTF8.self), to: "\(name)/\(file)")
    }
    let folder = stage.path(name)
    let places = places.replacingOccurrences(of: "alias ", with: "alias \(folder)/")
    try stage.write(
      """
      \(module.map { "load_module \($0);" } ?? "")
      \(getuid() == 0 ? "user root;" : "")
      worker_processes 1;
      worker_rlimit_nofile 20000;
      daemon off;
      pid \(folder)/pid;
      error_log \(folder)/errors warn;
      events { worker_connections 19500; }
      http {
        access_log off;
        keepalive_requests 100000000;
        keepalive_timeout 600s;
        \(module == nil ? "" : "nchan_max_reserved_memory 256M;")
        client_body_temp_path \(folder)/body;
        proxy_temp_path \(folder)/proxy;
        fastcgi_temp_path \(folder)/fastcgi;
        uwsgi_temp_path \(folder)/uwsgi;
        scgi_temp_path \(folder)/scgi;
        server {
          listen 127.0.0.1:\(port) backlog=4096;
          \(places)
        }
      }

      """, to: "\(name)/nginx.conf")
  }

  func start() throws -> PushTarget {
    let folder = stage.path(name)
    let command = try stage.start(
      Program(
        Self.path, ["-p", folder, "-c", "\(folder)/nginx.conf"], environment: stage.environment))
    command.closeInput()
    let master = command.child.pid
    var worker: pid_t?
    try stage.loop.wait("nginx", tick: 5) {
      if command.child.status != nil {
        let errors = (try? String(contentsOfFile: command.errors, encoding: .utf8)) ?? ""
        throw BenchError.failed("nginx ended: \(errors.prefix(200))")
      }
      let children = try? String(
        contentsOfFile: "/proc/\(master)/task/\(master)/children", encoding: .utf8)
      worker = children?.split(separator: " ").first.flatMap { pid_t($0) }
      return worker != nil
    }
    return PushTarget(
      child: command.child, pid: worker ?? master, port: port, publishPort: port)
  }

  /// A port that was free a moment ago.
  private static func freePort() throws -> UInt16 {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, size) == 0 ? getsockname(socket, $0, &size) : -1
      }
    }
    guard result == 0 else { throw BenchError.failed("there is no free port") }
    return UInt16(bigEndian: address.sin_port)
  }
}
