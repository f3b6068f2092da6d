import Foundation

/// Where one profile (one device of an account) keeps its files.
///
/// With `--home DIR`: `DIR/data/PROFILE`, `DIR/config/PROFILE`, `DIR/run/PROFILE`. Without:
/// `$XDG_DATA_HOME/higgins/PROFILE`, `$XDG_CONFIG_HOME/higgins/PROFILE`,
/// `$XDG_RUNTIME_DIR/higgins/PROFILE`, with the defaults of the XDG Base Directory Specification
/// 0.8 (and `/tmp/higgins-UID` where there is no runtime folder). As it says, a variable that holds
/// a relative path is ignored.
public struct ProfileFolder: Hashable, Sendable {
  public static let defaultProfile = "default"
  public static let nameCharacters = 64
  /// Room for a path in `sockaddr_un.sun_path` on Linux, the final zero included.
  static let socketPathBytes = 108

  public let profile: String
  public let data: String
  public let configuration: String
  public let runtime: String
  /// Listens for commands that are started while this profile is in use.
  public let socket: String
  /// The folders this program makes and checks, outermost first.
  private let owned: [String]

  /// - Parameters:
  ///   - home: what `--home` says; a relative path counts from the working folder.
  ///   - environment: `HOME` and the XDG variables are read.
  public init(home: String?, profile: String, environment: [String: String]) throws {
    try Self.check(name: profile)
    self.profile = profile
    let roots =
      if let home { Self.roots(home: Self.absolute(home)) } else { Self.roots(environment) }
    data = "\(roots.data)/\(profile)"
    configuration = "\(roots.configuration)/\(profile)"
    runtime = "\(roots.runtime)/\(profile)"
    owned =
      (home.map { [Self.absolute($0)] } ?? [])
      + [roots.data, data, roots.configuration, configuration, roots.runtime, runtime]
    let wanted = "\(runtime)/socket"
    socket = Self.fits(wanted) ? wanted : Self.shortSocket(for: wanted)
  }

  public var database: String { "\(data)/database" }
  /// The sealed keyring.
  public var keyring: String { "\(data)/keyring" }
  /// The device's authentication key, which must work while the profile is locked.
  public var deviceKey: String { "\(data)/device.key" }
  public var settings: String { "\(data)/profile.json" }
  /// What is left of a profile that was revoked: the sentence that says so.
  public var farewell: String { "\(data)/revoked" }
  /// See ``ProfileLock``. It lies beside the data, so that two environments with different runtime
  /// folders still exclude each other.
  public var lock: String { "\(data)/lock" }

  /// Whether a profile was set up here, or a folder that does not let us look may hold one.
  public var exists: Bool { SecureFile.mayExist(settings) }

  /// Makes the folders (0700) where they are missing.
  ///
  /// Throws ``StorageError/insecure(path:reason:)`` for one that another user owns or could write
  /// to.
  public func create() throws {
    for folder in owned { try SecureFile.makeFolder(folder) }
    let folder = socket.lastIndex(of: "/").map { String(socket[..<$0]) } ?? runtime
    // Others may write to /tmp, so a link there could lead anywhere.
    try SecureFile.makeFolder(folder, followsLinks: folder == runtime)
  }

  /// The file's bytes.
  ///
  /// Throws ``StorageError/insecure(path:reason:)`` when other users may read or write it.
  public func readFile(_ path: String, limitBytes: Int = SecureFile.limitBytes) throws -> [UInt8] {
    try SecureFile.read(path, limitBytes: limitBytes)
  }

  /// Replaces the file (0600): whoever reads it, and a power cut, sees the old bytes or the new.
  public func writeFile(_ bytes: [UInt8], to path: String) throws {
    try SecureFile.write(bytes, to: path)
  }

  /// Removes a file; nothing happens when it is not there.
  public func removeFile(_ path: String) throws {
    guard unlink(path) == 0 || errno == ENOENT else {
      throw SecureFile.failure(path, "removing", errno)
    }
    try SecureFile.flushFolder(of: path)
  }

  /// Why nothing is here any more; nil where nothing was erased.
  public var farewellText: String? {
    guard SecureFile.exists(farewell), let bytes = try? readFile(farewell) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Removes the profile, all but ``lock`` and ``farewell``: keys first, the settings last, so that
  /// an interruption leaves nothing that opens, and what is left is found at the next start.
  public func erase() throws {
    try removeFile(keyring)
    try removeFile(deviceKey)
    let kept: Set = ["lock", "revoked", "profile.json"]
    for name in try FileManager.default.contentsOfDirectory(atPath: data)
    where !kept.contains(name) {
      try removeFile("\(data)/\(name)")
    }
    try removeFile(settings)
  }

  private static func check(name: String) throws {
    let isAllowed = name.utf8.allSatisfy { character in
      switch character {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: character == 0x2d || character == 0x2e || character == 0x5f  // - . _
      }
    }
    guard isAllowed, !name.isEmpty, name.utf8.count <= nameCharacters, !name.hasPrefix(".") else {
      throw StorageError.invalidProfileName(name)
    }
  }
}

extension ProfileFolder {
  private typealias Roots = (data: String, configuration: String, runtime: String)

  private static func roots(home: String) -> Roots {
    ("\(home)/data", "\(home)/config", "\(home)/run")
  }

  private static func roots(_ environment: [String: String]) -> Roots {
    func variable(_ name: String) -> String? {
      environment[name].flatMap { $0.hasPrefix("/") ? trimmed($0) : nil }
    }
    let home = variable("HOME") ?? trimmed(NSHomeDirectory())
    return (
      "\(variable("XDG_DATA_HOME") ?? "\(home)/.local/share")/higgins",
      "\(variable("XDG_CONFIG_HOME") ?? "\(home)/.config")/higgins",
      variable("XDG_RUNTIME_DIR").map { "\($0)/higgins" } ?? temporary
    )
  }

  private static var temporary: String { "/tmp/higgins-\(geteuid())" }

  private static func absolute(_ path: String) -> String {
    trimmed(
      path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)")
  }

  private static func trimmed(_ path: String) -> String {
    var path = path[...]
    while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
    return String(path)
  }

  private static func fits(_ path: String) -> Bool {
    path.utf8.count < socketPathBytes
  }

  /// FNV-1a, 64 bits: the name only has to differ between the few profiles of one user, in a folder
  /// nobody else can enter.
  private static func shortSocket(for path: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return "\(temporary)/\(String(hash, radix: 16))"
  }
}
