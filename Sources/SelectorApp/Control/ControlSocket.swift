import Foundation

/// The Unix socket of a profile's owner.
enum ControlSocket {
  /// Listens at `path` for this user alone (0600). What a crashed owner left there is removed: who
  /// calls this holds the profile's lock.
  static func listen(_ path: String) throws -> Int32 {
    let descriptor = try make(path)
    unlink(path)
    let mask = umask(0o177)
    let bound = withAddress(path) { bind(descriptor, $0, $1) }
    let code = errno
    umask(mask)
    guard bound == 0 else {
      close(descriptor)
      throw ControlError.failed(path: path, operation: "Making", code: code)
    }
    guard Foundation.listen(descriptor, Int32(ControlLimits.connections)) == 0 else {
      let code = errno
      close(descriptor)
      throw ControlError.failed(path: path, operation: "Listening at", code: code)
    }
    return descriptor
  }

  /// Connects to the owner; nil when nobody listens there.
  static func connect(_ path: String) throws -> ControlChannel? {
    let descriptor = try make(path)
    let result = withAddress(path) { Foundation.connect(descriptor, $0, $1) }
    guard result == 0 else {
      let code = errno
      close(descriptor)
      // EAGAIN: it listens, but its queue is full.
      if [ECONNREFUSED, ENOENT, EAGAIN].contains(code) { return nil }
      throw ControlError.failed(path: path, operation: "Connecting to", code: code)
    }
    return ControlChannel(descriptor: descriptor)
  }

  private static func make(_ path: String) throws -> Int32 {
    let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
    guard path.utf8.count < room else {
      throw ControlError.failed(path: path, operation: "Naming", code: ENAMETOOLONG)
    }
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else {
      throw ControlError.failed(path: path, operation: "Opening", code: errno)
    }
    return descriptor
  }

  private static func withAddress(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
