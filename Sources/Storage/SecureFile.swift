import Foundation

/// Files and folders that belong to one user alone.
public enum SecureFile {
  /// 16 MiB: more than any file of a profile but its database has.
  public static let limitBytes = 16 * 1024 * 1024

  public static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0
  }

  /// Whether there is something, or a folder on the way that does not let us look.
  static func mayExist(_ path: String) -> Bool {
    access(path, F_OK) == 0 || errno == EACCES
  }

  /// Makes `path` and what leads to it, each 0700, and checks that it is ours alone.
  static func makeFolder(_ path: String, followsLinks: Bool = true) throws {
    var made = ""
    for part in path.split(separator: "/") {
      made += "/\(part)"
      guard mkdir(made, 0o700) != 0 else { continue }
      let code = errno
      // A folder on the way that exists may be one where we cannot make anything.
      guard code == EEXIST || exists(made) else { throw failure(made, "making the folder", code) }
    }
    try checkFolder(path, followsLinks: followsLinks)
  }

  private static func checkFolder(_ path: String, followsLinks: Bool) throws {
    var status = stat()
    guard (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else {
      throw failure(path, "examining", errno)
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw StorageError.insecure(path: path, reason: "is not a folder")
    }
    try check(status, path: path, forbidden: 0o022)
  }

  /// Reads a file that nobody else may read or write.
  ///
  /// Throws ``StorageError/missing(path:)``, ``StorageError/insecure(path:reason:)``, and
  /// ``StorageError/corrupted(path:detail:)`` when it is longer than `limitBytes`.
  public static func read(_ path: String, limitBytes: Int = limitBytes) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw errno == ENOENT ? StorageError.missing(path: path) : failure(path, "opening", errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(path, "examining", errno) }
    try checkFile(status, path: path)
    return try readAll(descriptor, path: path, limitBytes: limitBytes)
  }

  /// Reads what a service manager hands to this service (systemd's `LoadCredential=` and
  /// `LoadCredentialEncrypted=`): the file `name` in the folder `CREDENTIALS_DIRECTORY` names. Nil
  /// where there is none. It may belong to root, who made it; not everybody may read it.
  public static func readCredential(
    _ name: String, limitBytes: Int, environment: [String: String]
  ) throws -> [UInt8]? {
    guard let folder = environment["CREDENTIALS_DIRECTORY"], folder.hasPrefix("/") else {
      return nil
    }
    let path = "\(folder)/\(name)"
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else {
      guard errno != ENOENT else { return nil }
      throw failure(path, "opening", errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(path, "examining", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StorageError.insecure(path: path, reason: "is not a file")
    }
    guard [0, geteuid()].contains(status.st_uid) else {
      throw StorageError.insecure(path: path, reason: "belongs to user \(status.st_uid)")
    }
    guard status.st_mode & 0o007 == 0 else {
      throw StorageError.insecure(path: path, reason: "other users may read or write it")
    }
    return try readAll(descriptor, path: path, limitBytes: limitBytes)
  }

  /// Whether nobody else may read or write the file.
  static func checkFile(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw failure(path, "examining", errno) }
    try checkFile(status, path: path)
  }

  private static func checkFile(_ status: stat, path: String) throws {
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StorageError.insecure(path: path, reason: "is not a file")
    }
    try check(status, path: path, forbidden: 0o077)
  }

  private static func check(_ status: stat, path: String, forbidden: mode_t) throws {
    guard status.st_uid == geteuid() else {
      throw StorageError.insecure(path: path, reason: "belongs to user \(status.st_uid)")
    }
    guard status.st_mode & forbidden == 0 else {
      let verb = forbidden == 0o022 ? "write to" : "read or write"
      throw StorageError.insecure(path: path, reason: "other users may \(verb) it")
    }
  }

  private static func readAll(
    _ descriptor: Int32, path: String, limitBytes: Int
  ) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = Foundation.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure(path, "reading", errno) }
      guard count > 0 else { return bytes }
      bytes.append(contentsOf: chunk.prefix(count))
      guard bytes.count <= limitBytes else {
        throw StorageError.corrupted(path: path, detail: "longer than \(limitBytes) bytes")
      }
    }
  }

  /// Writes a file of its own beside `path`, forces it to disk, then takes the name over.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    let temporary = "\(path).\(getpid()).new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(temporary, "making", errno) }
    do {
      defer { close(descriptor) }
      try writeAll(bytes, to: descriptor, path: path)
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, path) == 0 else {
      let code = errno
      unlink(temporary)
      throw failure(path, "replacing", code)
    }
    try flushFolder(of: path)
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure(path, "writing", errno) }
      rest = rest.dropFirst(count)
    }
    guard fsync(descriptor) == 0 else { throw failure(path, "writing", errno) }
  }

  /// Forces a file's contents to disk.
  static func flush(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path, "opening", errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure(path, "writing", errno) }
  }

  /// A new name is on disk only when its folder is.
  static func flushFolder(of path: String) throws {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(folder, "opening", errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure(folder, "writing", errno) }
  }

  static func failure(_ path: String, _ operation: String, _ code: Int32) -> StorageError {
    switch code {
    case ENOSPC, EDQUOT: .diskFull(path: path)
    case EROFS: .denied(path: path, reason: "the file system is read-only")
    case EACCES, EPERM: .denied(path: path, reason: "you have no permission")
    default: .failed(path: path, operation: operation, code: code)
    }
  }
}
