import Foundation

/// The folder of everything the server keeps, private to its user (0700) and to one process: held
/// as long as this value lives.
public final class DataFolder: Sendable {
  public let path: String
  private let lock: Int32

  /// Creates the folder if it is missing and locks it with `flock` on its file `lock`.
  public convenience init(path: String) throws(AttributeServerError) {
    try Self.create(path)
    try self.init(locking: path)
  }

  /// Locks a folder that must be there.
  public convenience init(existing path: String) throws(AttributeServerError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else { throw .folderUnusable(path: path, reason: "it is not there") }
    try self.init(locking: path)
  }

  private init(locking path: String) throws(AttributeServerError) {
    self.path = path
    let file = path + "/lock"
    let descriptor = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .folderUnusable(path: path, reason: Self.reason()) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      if code == EWOULDBLOCK { throw .folderInUse(path: path) }
      throw .folderUnusable(path: path, reason: String(cString: strerror(code)))
    }
    lock = descriptor
  }

  deinit {
    close(lock)
  }

  public var database: String { path + "/attributes.sqlite" }

  /// The socket through which commands ask the server that has the folder.
  public var control: String { Self.control(path) }

  static func control(_ path: String) -> String { path + "/control" }

  /// Creates the folder without locking it, for commands that only leave a file there.
  public static func create(_ path: String) throws(AttributeServerError) {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw .folderUnusable(path: path, reason: "it cannot be created")
    }
    // It may have been there already, open to others.
    guard chmod(path, 0o700) == 0 else { throw .folderUnusable(path: path, reason: reason()) }
  }

  private static func reason() -> String { String(cString: strerror(errno)) }
}
