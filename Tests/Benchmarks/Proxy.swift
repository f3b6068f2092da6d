import Foundation
import Glibc

/// Passes on what goes between devices and the Attribute Server, and counts it.
final class Proxy: Watcher {
  struct Count {
    /// From the device.
    var up = 0
    /// To the device.
    var down = 0
    var requests = 0
  }

  let port: UInt16
  private(set) var count = Count()
  private(set) var lastTraffic = ContinuousClock.now
  private let listener: Int32
  private let target: UInt16
  private var pairs: [(device: Int32, server: Int32)] = []

  /// Listens on loopback for what is meant for `target`.
  init(target: UInt16) throws {
    self.target = target
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    _ = fcntl(listener, F_SETFD, FD_CLOEXEC)
    var address = Self.loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isUp = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 64) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    guard isUp else {
      Glibc.close(listener)
      throw BenchError.failed("the proxy cannot listen")
    }
  }

  deinit {
    Glibc.close(listener)
    for pair in pairs {
      Glibc.close(pair.device)
      Glibc.close(pair.server)
    }
  }

  private static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  var descriptors: [Int32] { [listener] + pairs.flatMap { [$0.device, $0.server] } }

  func readable(_ descriptor: Int32) {
    guard descriptor != listener else { return accept() }
    guard
      let place = pairs.firstIndex(where: { $0.device == descriptor || $0.server == descriptor })
    else { return }
    let pair = pairs[place]
    let isUp = descriptor == pair.device
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let got = read(descriptor, &buffer, buffer.count)
    guard got > 0, pass(buffer.prefix(got), to: isUp ? pair.server : pair.device) else {
      Glibc.close(pair.device)
      Glibc.close(pair.server)
      pairs.remove(at: place)
      return
    }
    lastTraffic = .now
    if isUp {
      count.up += got
      count.requests += Self.requestLines(in: buffer.prefix(got))
    } else {
      count.down += got
    }
  }

  private func accept() {
    let device = Glibc.accept(listener, nil, nil)
    guard device >= 0 else { return }
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = Self.loopback(port: target)
    let isConnected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      Glibc.close(device)
      Glibc.close(server)
      return
    }
    var isOn: Int32 = 1
    for end in [device, server] {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      // IPPROTO_TCP and TCP_NODELAY: a proxy must not add waits of its own.
      setsockopt(end, 6, 1, &isOn, socklen_t(MemoryLayout<Int32>.size))
    }
    pairs.append((device, server))
  }

  private func pass(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }

  /// A request's head goes out in one piece, so its first line is never torn.
  private static func requestLines(in bytes: ArraySlice<UInt8>) -> Int {
    bytes.ranges(of: Array(" HTTP/1.1\r\n".utf8)).count
  }
}
