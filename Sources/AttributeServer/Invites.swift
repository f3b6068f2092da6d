import Foundation
import Wire

/// Single-use codes that let somebody create an account. Each open one is an empty file in the
/// data folder, named by the code's digest: a command can add one while the server runs, and
/// nobody reads a code from the disk.
public struct Invites: Sendable {
  private let folder: String

  /// The invites of a data folder.
  public init(dataPath: String) {
    folder = dataPath + "/invites"
  }

  /// Makes a code of 128 random bits, in eight groups of four hexadecimal digits.
  public func make() throws(AttributeServerError) -> String {
    try DataFolder.create(folder)
    let digits = Array(Hex.encode(randomBytes(16)))
    let code = stride(from: 0, to: digits.count, by: 4)
      .map { String(digits[$0..<($0 + 4)]) }.joined(separator: "-")
    let path = file(of: Self.hash(code))
    let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .folderUnusable(path: folder, reason: String(cString: strerror(errno)))
    }
    close(descriptor)
    return code
  }

  /// Whether any code waits to be used.
  public var hasOpen: Bool {
    do {
      return try !FileManager.default.contentsOfDirectory(atPath: folder).isEmpty
    } catch {
      // The folder comes with the first invite.
      return false
    }
  }

  /// The digest of an open code, however it is grouped; nil when there is none like it.
  func hash(ofOpen code: String) -> Digest32? {
    let hash = Self.hash(code)
    return FileManager.default.fileExists(atPath: file(of: hash)) ? hash : nil
  }

  func remove(_ hash: Digest32) {
    // The use is recorded in the database: a file that stays does no harm.
    unlink(file(of: hash))
  }

  private func file(of hash: Digest32) -> String { folder + "/" + Hex.encode(hash.bytes) }

  private static func hash(_ code: String) -> Digest32 {
    digest(Array(code.lowercased().utf8.filter { $0 != 0x2d && $0 != 0x20 }))
  }
}
