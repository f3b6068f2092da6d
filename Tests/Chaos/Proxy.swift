import Foundation
import Glibc

/// Passes TCP connections on to a port of this machine, as well as the weather lets it.
///
/// A thread for each connection; it ends when either side closes.
final class Proxy: Sendable {
  let port: Int
  private let listener: Int32

  init(target: Int, weather: Weather) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Self.closeOnExec, 0)
    var address = Self.loopback(0)
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard listener >= 0, bound == 0, listen(listener, 64) == 0 else {
      throw ChaosError.failed("the proxy cannot listen: errno \(errno)")
    }
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = getsockname(listener, $0, &length)
      }
    }
    self.listener = listener
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread {
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else {
          if errno == EINTR || errno == ECONNABORTED { continue }
          return
        }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        Thread { Self.serve(client, target: target, weather: weather) }.start()
      }
    }.start()
  }

  /// Connections that are open end with their sides.
  func close() {
    shutdown(listener, Int32(SHUT_RDWR))
    Glibc.close(listener)
  }

  /// glibc's SOCK_CLOEXEC; children must not keep connections open.
  private static let closeOnExec: Int32 = 0o2000000

  private static func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func connect(to port: Int) -> Int32? {
    let peer = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
    var address = loopback(port)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(peer, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if code == 0 { return peer }
    Glibc.close(peer)
    return nil
  }

  private static func serve(_ client: Int32, target: Int, weather: Weather) {
    defer { Glibc.close(client) }
    guard !weather.isDown, let server = connect(to: target) else { return }
    defer { Glibc.close(server) }
    while true {
      var polled = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      // Comes back now and then, to see whether the network went down.
      guard poll(&polled, 2, 200) >= 0, !weather.isDown else { return }
      for (from, to) in [(0, server), (1, client)] where polled[from].revents != 0 {
        guard pass(polled[from].fd, to, weather) else { return }
      }
    }
  }

  /// False when the connection is over.
  private static func pass(_ from: Int32, _ to: Int32, _ weather: Weather) -> Bool {
    var bytes = [UInt8](repeating: 0, count: 16384)
    let count = read(from, &bytes, bytes.count)
    guard count > 0 else { return false }
    switch weather.fate(of: count) {
    case .isLost: return false
    case .isCut:
      _ = send(bytes[..<(count / 2)], to)
      return false
    case .isCorrupted(let place):
      bytes[place] ^= 1 << UInt8(place % 8)
    case .arrives(let milliseconds):
      if milliseconds > 0 { usleep(UInt32(milliseconds) * 1000) }
    }
    return send(bytes[..<count], to)
  }

  private static func send(_ bytes: ArraySlice<UInt8>, _ to: Int32) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(to, $0.baseAddress, $0.count, 0x4000) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
