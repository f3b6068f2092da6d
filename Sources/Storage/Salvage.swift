import Foundation
import GRDB
public import Sync
public import Wire

/// What became of a damaged store.
public struct Salvage: Hashable, Sendable {
  /// Where the damaged file was put; nil when there was none.
  public let damagedFile: String?
  /// Commits held again: what still read and was what its hash says, without a gap.
  public let kept: UInt64
  /// Commits the damaged store had and this one does not; nil when it no longer told how many.
  public let missing: UInt64?
  /// Those of ``missing`` that this device wrote and the server was not known to hold: no one can
  /// send them again unless another device has them.
  public let unsent: UInt64

  /// What a person is told; `at` in milliseconds since 1970.
  public func notice(at: Int64) -> Notice {
    let again =
      switch missing {
      case nil: "everything is fetched again from the server"
      case 0: "nothing of it is missing"
      case 1: "1 change is fetched again from the server"
      case let count?: "\(count) changes are fetched again from the server"
      }
    let lost =
      unsent == 0
      ? ""
      : " \(unsent) of this device's own had not reached the server when it was last heard."
    let file = damagedFile?.split(separator: "/").last
    let what = file == nil ? "The store was missing" : "The store was damaged"
    let kept = file.map { "; the damaged file is kept as \($0)" } ?? ""
    return Notice(
      code: "damaged", text: "\(what): \(again)\(kept).\(lost)", at: at, isAlarm: false)
  }
}

extension SQLiteStore {
  /// Opens the store; a damaged one is set aside and what still reads of it becomes a new one that
  /// is marked as uncertain (``StoredState/isUncertain``).
  ///
  /// Only for a profile whose settings are intact: where they are not, a missing database may mean
  /// that this is no profile at all.
  ///
  /// - Parameters:
  ///   - device: whose commits are this device's own.
  ///   - now: milliseconds since 1970, for the notice and the name of the damaged file.
  public static func openOrSalvage(
    path: String, device: DeviceID, now: Int64,
    digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) throws -> (store: SQLiteStore, salvage: Salvage?) {
    do {
      let store = try SQLiteStore(path: path, digest: digest)
      do {
        _ = try store.load()
        return (store, nil)
      } catch {
        try store.abandon()
        throw error
      }
    } catch let error as StorageError where error.isDamage {
      return try salvage(path: path, device: device, now: now, digest: digest)
    }
  }

  /// Sets the database at `path`, which must be closed, aside and builds a new one of what still
  /// reads. Can be interrupted anywhere and called again.
  public static func salvage(
    path: String, device: DeviceID, now: Int64,
    digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) throws -> (store: SQLiteStore, salvage: Salvage?) {
    let aside = try DamagedFile.setAside(path, now: now)
    let temporary = "\(path).salvaged"
    for suffix in ["", "-wal", "-shm"] { unlink(temporary + suffix) }
    do {
      let salvage = try SalvageRun(
        from: aside, to: temporary, device: device, now: now, digest: digest
      ).run()
      guard rename(temporary, path) == 0 else {
        throw SecureFile.failure(path, "replacing", errno)
      }
      try SecureFile.flushFolder(of: path)
      return (try SQLiteStore(path: path, digest: digest), salvage)
    } catch let error as DatabaseError {
      throw DatabaseFile.failure(error, path: path, operation: "salvaging")
    }
  }

  /// Lets go of the file without marking the stop as clean.
  public func abandon() throws {
    try guarded("closing") { try queue.close() }
    markClosed()
  }
}

extension StorageError {
  /// Whether the file is not what was written: the cure is
  /// ``SQLiteStore/salvage(path:device:now:digest:)``.
  public var isDamage: Bool {
    switch self {
    case .corrupted, .missing: true
    default: false
    }
  }
}

/// A damaged database under a name of its own.
enum DamagedFile {
  /// Moves the database away with its log; finishes what an interrupted call began.
  ///
  /// - Returns: the new path, whose file is missing when there was nothing.
  static func setAside(_ path: String, now: Int64) throws -> String {
    if !SecureFile.exists(path), let earlier = try newest(of: path) {
      try move(path + "-wal", to: earlier + "-wal")
      unlink(path + "-shm")
      return earlier
    }
    let name = free("\(path).damaged-\(stamp(now))")
    try move(path, to: name)
    try move(path + "-wal", to: name + "-wal")
    unlink(path + "-shm")
    try SecureFile.flushFolder(of: path)
    return name
  }

  private static func move(_ path: String, to other: String) throws {
    guard SecureFile.exists(path) else { return }
    guard rename(path, other) == 0 else { throw SecureFile.failure(path, "moving", errno) }
  }

  private static func free(_ name: String) -> String {
    var (candidate, number) = (name, 2)
    while SecureFile.exists(candidate) {
      candidate = "\(name)-\(number)"
      number += 1
    }
    return candidate
  }

  /// The file an interrupted salvage moved away: it stands without a database in its place.
  private static func newest(of path: String) throws -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.dropLast().joined(separator: "/")
    let prefix = (parts.last.map(String.init) ?? path) + ".damaged-"
    return try FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)
      .filter { $0.hasPrefix(prefix) && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }
      .max().map { "\(folder)/\($0)" }
  }

  /// `YYYYMMDD-HHMMSS`, in UTC.
  private static func stamp(_ now: Int64) -> String {
    var seconds = time_t(now / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))-"
      + "\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
  }
}
