import CLinux
import Foundation
import Glibc

/// Many WebSocket subscribers and one publisher, in one thread: what reads a delivery is the same
/// process that sent it, so one clock times both.
final class Farm {
  /// One that subscribes with a path, and, where a hello is said, waits for the answer.
  struct Subscriber {
    let path: String
    var hello: [UInt8]?
  }

  private enum State { case connecting, upgrading, greeting, up }

  private struct Member {
    let subscriber: Subscriber
    var state = State.connecting
    /// What came of a frame, or of the head, that is not whole yet.
    var rest: [UInt8] = []
  }

  private let poll = epoll_create1(0)
  private var events = [epoll_event](repeating: epoll_event(), count: 512)
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var members: [Int32: Member] = [:]
  private var waiting: [(Subscriber, UInt16)] = []
  /// The sockets in the order of their subscribers.
  private var order: [Int32] = []
  private var publisher: Int32 = -1
  private var isAnswered = true
  private(set) var ready = 0
  private var tag: [UInt8] = []
  private var deliveries: [ContinuousClock.Instant] = []
  /// What went wrong with a connection; told by the next wait.
  private var fault: String?

  deinit {
    closeAll()
    if publisher >= 0 { close(publisher) }
    close(poll)
  }

  // MARK: connecting

  /// Subscribes them all, 128 at a time.
  func connect(_ subscribers: [Subscriber], port: UInt16, seconds: Double = 120) throws {
    let wanted = ready + subscribers.count
    waiting = subscribers.reversed().map { ($0, port) }
    try wait("\(subscribers.count) subscribers", seconds: seconds) {
      while !waiting.isEmpty, members.count - ready < 128 { try startOne() }
      return ready == wanted
    }
  }

  private func startOne() throws {
    guard let (subscriber, port) = waiting.popLast() else { return }
    let socket = try Self.socket(to: port)
    members[socket] = Member(subscriber: subscriber)
    order.append(socket)
    watch(socket, for: EPOLLIN.rawValue | EPOLLOUT.rawValue, EPOLL_CTL_ADD)
  }

  /// A connection that publishes.
  func openPublisher(port: UInt16) throws {
    if publisher >= 0 { close(publisher) }
    publisher = try Self.socket(to: port)
    isAnswered = true
    watch(publisher, for: EPOLLIN.rawValue, EPOLL_CTL_ADD)
  }

  /// A subscriber that says what it must and never reads again; its kernel takes 2 KiB for it.
  static func stalled(_ subscriber: Subscriber, port: UInt16) throws -> Int32 {
    let socket = try Self.socket(to: port, receiveBytes: 2048)
    var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
    _ = Glibc.poll(&descriptor, 1, 5000)
    try send(request(subscriber, port), to: socket)
    if let hello = subscriber.hello {
      descriptor.events = Int16(POLLIN)
      _ = Glibc.poll(&descriptor, 1, 5000)
      try send(frame(1, hello), to: socket)
    }
    return socket
  }

  func closeAll() {
    for socket in members.keys { close(socket) }
    members = [:]
    order = []
    ready = 0
  }

  private static func socket(to port: UInt16, receiveBytes: Int32? = nil) throws -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = Glibc.socket(AF_INET, kind, 0)
    guard socket >= 0 else { throw BenchError.failed("no more sockets: raise `ulimit -n`") }
    var yes: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size)
    if var bytes = receiveBytes { setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, size) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 || errno == EINPROGRESS else {
      throw BenchError.failed("nobody listens on port \(port)")
    }
    return socket
  }

  private static func request(_ subscriber: Subscriber, _ port: UInt16) -> [UInt8] {
    Array(
      """
      GET \(subscriber.path) HTTP/1.1\r
      Host: 127.0.0.1:\(port)\r
      Upgrade: websocket\r
      Connection: Upgrade\r
      Sec-WebSocket-Version: 13\r
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
      \r

      """.utf8)
  }

  private func watch(_ socket: Int32, for kinds: UInt32, _ operation: Int32) {
    var event = epoll_event()
    event.events = kinds
    event.data.fd = socket
    epoll_ctl(poll, operation, socket, &event)
  }

  /// Says a new hello where the subscriber of that place said one.
  func greetAgain(_ place: Int, as subscriber: Subscriber) throws {
    guard let hello = subscriber.hello else { return }
    try Self.send(Self.frame(1, hello), to: order[place])
  }

  // MARK: publishing

  /// Publishes, and serves until `count` subscribers have read the tag: how long each took, in
  /// microseconds, the first first.
  func publish(_ request: [UInt8], tag: String, to count: Int) throws -> [Double] {
    self.tag = Array(tag.utf8)
    deliveries.removeAll(keepingCapacity: true)
    isAnswered = false
    let start = ContinuousClock.now
    try Self.send(request, to: publisher)
    try wait("\(count) deliveries", seconds: 10) { isAnswered && deliveries.count >= count }
    return deliveries.map { ($0 - start).milliseconds * 1000 }
  }

  /// Answers pings for a while.
  func pause(seconds: Double) throws {
    let end = ContinuousClock.now + .seconds(seconds)
    try wait("a pause", seconds: seconds + 60) { .now >= end }
  }

  private func wait(
    _ what: String, seconds: Double, until isMet: () throws -> Bool
  ) throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !isMet() {
      if let fault { throw BenchError.failed(fault) }
      guard .now < deadline else { throw BenchError.timedOut(what, seconds: seconds) }
      let count = epoll_wait(poll, &events, Int32(events.count), 50)
      for place in 0..<max(0, Int(count)) {
        try serve(events[place].data.fd, events[place].events)
      }
    }
  }

  private func serve(_ socket: Int32, _ kinds: UInt32) throws {
    if members[socket]?.state == .connecting, kinds & EPOLLOUT.rawValue != 0 {
      guard let subscriber = members[socket]?.subscriber else { return }
      members[socket]?.state = .upgrading
      watch(socket, for: EPOLLIN.rawValue, EPOLL_CTL_MOD)
      var name = sockaddr_in()
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      _ = withUnsafeMutablePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(socket, $0, &size) }
      }
      try Self.send(Self.request(subscriber, UInt16(bigEndian: name.sin_port)), to: socket)
      return
    }
    let count = read(socket, &buffer, buffer.count)
    let now = ContinuousClock.now
    guard count > 0 else {
      if count < 0, errno == EAGAIN { return }
      fault = socket == publisher ? "the publisher was cut off" : "a subscriber was cut off"
      return
    }
    if socket == publisher {
      guard buffer.starts(with: Array("HTTP/1.1 2".utf8)) else {
        fault = "refused: \(String(decoding: buffer[..<min(count, 200)], as: UTF8.self))"
        return
      }
      isAnswered = true
    } else {
      try take(Array(buffer[..<count]), from: socket, at: now)
    }
  }

  private func take(
    _ bytes: [UInt8], from socket: Int32, at now: ContinuousClock.Instant
  ) throws {
    guard var member = members[socket] else { return }
    var bytes = member.rest.isEmpty ? bytes : member.rest + bytes
    if member.state == .upgrading {
      guard let end = Self.position(of: Self.headEnd, in: bytes) else {
        members[socket]?.rest = bytes
        return
      }
      guard bytes.starts(with: Array("HTTP/1.1 101".utf8)) else {
        fault = "no upgrade: \(String(decoding: bytes.prefix(100), as: UTF8.self))"
        return
      }
      if let hello = member.subscriber.hello { try Self.send(Self.frame(1, hello), to: socket) }
      member.state = member.subscriber.hello == nil ? .up : .greeting
      if member.state == .up { ready += 1 }
      bytes = Array(bytes[(end + 4)...])
    }
    var start = 0
    while let (code, payload) = Self.nextFrame(in: bytes, from: start) {
      start = payload.upperBound
      switch code {
      case 1 where member.state == .greeting:
        guard Self.position(of: Self.welcome, in: bytes[payload]) != nil else { continue }
        member.state = .up
        ready += 1
      case 1:
        if !tag.isEmpty, Self.position(of: tag, in: bytes[payload]) != nil {
          deliveries.append(now)
        }
      case 8:
        fault = "closed: \(String(decoding: bytes[payload].dropFirst(2), as: UTF8.self))"
      case 9: try Self.send(Self.frame(10, Array(bytes[payload])), to: socket)
      default: continue
      }
    }
    member.rest = start == bytes.count ? [] : Array(bytes[start...])
    members[socket] = member
  }

  private static let headEnd = Array("\r\n\r\n".utf8)
  private static let welcome = Array("\"welcome\"".utf8)

  private static func position(
    of needle: [UInt8], in bytes: some RandomAccessCollection<UInt8>
  ) -> Int? {
    bytes.withContiguousStorageIfAvailable { bytes in
      guard let base = bytes.baseAddress, let first = needle.first else { return nil }
      var place = 0
      while place + needle.count <= bytes.count,
        let found = memchr(base + place, Int32(first), bytes.count - place - needle.count + 1)
      {
        if memcmp(found, needle, needle.count) == 0 {
          return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
        }
        place = UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found)) + 1
      }
      return nil
    } ?? nil
  }

  /// The next whole frame of a server: its opcode and where its payload is.
  private static func nextFrame(in bytes: [UInt8], from start: Int) -> (UInt8, Range<Int>)? {
    guard bytes.count - start >= 2 else { return nil }
    var head = 2
    var length = Int(bytes[start + 1] & 0x7f)
    if length >= 126 {
      let digits = length == 126 ? 2 : 8
      guard bytes.count - start >= 2 + digits else { return nil }
      length = bytes[(start + 2)..<(start + 2 + digits)].reduce(0) { $0 << 8 | Int($1) }
      head += digits
    }
    guard bytes.count - start >= head + length else { return nil }
    return (bytes[start] & 0x0f, (start + head)..<(start + head + length))
  }

  /// A frame of a client, whose mask is nothing: what the server does is the same.
  private static func frame(_ code: UInt8, _ payload: [UInt8]) -> [UInt8] {
    var bytes = [0x80 | code]
    if payload.count < 126 {
      bytes.append(0x80 | UInt8(payload.count))
    } else {
      bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
    }
    return bytes + [0, 0, 0, 0] + payload
  }

  private static func send(_ bytes: [UInt8], to socket: Int32) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN || errno == EINTR {
        usleep(50)
      } else {
        throw BenchError.failed("a connection was cut off: \(String(cString: strerror(errno)))")
      }
    }
  }
}
