import ArgumentParser
import Foundation
import Selector
import Storage
import Vault

/// What every command takes. The environment counts where the command line is silent.
struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Which device of this machine (HIGGINS_PROFILE; else \"default\").", valueName: "name"))
  var profile: String?

  @Option(
    help: ArgumentHelp(
      "Keep everything of all profiles in this folder (HIGGINS_HOME).", valueName: "dir"),
    completion: .directory)
  var home: String?

  @Option(
    help: ArgumentHelp(
      "A file whose first line unlocks (HIGGINS_PASSPHRASE_FILE).", valueName: "file"),
    completion: .file())
  var passphraseFile: String?

  /// What a variable says; an empty one says nothing.
  private static func variable(_ name: String, _ environment: [String: String]) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  func folder(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> ProfileFolder {
    try ProfileFolder(
      home: home ?? Self.variable("HIGGINS_HOME", environment),
      profile: profile ?? Self.variable("HIGGINS_PROFILE", environment)
        ?? ProfileFolder.defaultProfile,
      environment: environment)
  }

  func passphrasePath(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String? {
    passphraseFile ?? Self.variable("HIGGINS_PASSPHRASE_FILE", environment)
  }
}

/// Asks for passphrases: in the file that was named, else on the terminal.
struct PassphraseSource {
  /// 8 KiB: a passphrase and a remark below it.
  static let fileBytes = 8 * 1024

  /// What a service manager's credential with the passphrase is called.
  static let credential = "higgins.passphrase"

  let path: String?
  let console: any Console
  var environment = ProcessInfo.processInfo.environment

  /// The passphrase of a profile that is there.
  func existing(_ prompt: String = "Passphrase: ") async throws -> Passphrase {
    if let given = try given() { return given }
    return try await ask(prompt)
  }

  /// A passphrase that begins to count: typed twice, because nobody sees what they type, and no
  /// shorter than the selector takes it. What stands in a file is its owner's affair.
  func new() async throws -> Passphrase {
    if let given = try given() { return given }
    var first = try await secret("New passphrase: ")
    var second = try await secret("The same again: ")
    defer {
      first.wipe()
      second.wipe()
    }
    guard first == second else {
      throw Failure(.failed, "The two passphrases differ. Nothing was made. Try again.")
    }
    // Each character has one byte that is no continuation.
    guard first.count(where: { $0 & 0xC0 != 0x80 }) >= Session.passphraseCharacters else {
      throw Failure(
        .failed,
        "A passphrase has at least \(Session.passphraseCharacters) characters, better four words."
          + " Nothing was made. Try again.")
    }
    return try Self.passphrase(first)
  }

  /// In the file that was named, or handed over by a service manager.
  func given() throws -> Passphrase? {
    if let path { return try Self.read(path) }
    var bytes: [UInt8]
    do {
      let credential = try SecureFile.readCredential(
        Self.credential, limitBytes: Self.fileBytes, environment: environment)
      guard let credential else { return nil }
      bytes = credential
    } catch StorageError.insecure(let path, let reason) {
      throw Self.refused(path, reason)
    }
    defer { bytes.wipe() }
    return try Self.firstLine(of: bytes)
  }

  private func ask(_ prompt: String) async throws -> Passphrase {
    var typed = try await secret(prompt)
    defer { typed.wipe() }
    return try Self.passphrase(typed)
  }

  private func secret(_ prompt: String) async throws -> [UInt8] {
    do {
      return try await console.readSecret(prompt)
    } catch ConsoleError.noTerminal {
      throw Failure(
        .locked,
        "There is no terminal to ask for the passphrase. Nothing was read or changed. Name a file"
          + " with --passphrase-file FILE.")
    }
  }

  private static func passphrase(_ bytes: [UInt8]) throws -> Passphrase {
    guard !bytes.isEmpty else {
      throw Failure(.locked, "No passphrase was entered. Nothing was changed.")
    }
    return try Passphrase(utf8: bytes)
  }

  private static func firstLine(of bytes: [UInt8]) throws -> Passphrase {
    var line = Array(bytes.prefix { $0 != 0x0a && $0 != 0x0d })
    defer { line.wipe() }
    return try passphrase(line)
  }

  private static func refused(_ path: String, _ reason: String) -> Failure {
    Failure(
      .failed,
      "The passphrase file \(path) was not used: \(reason). Make it a file of your own that nobody"
        + " else can read (chmod 600).")
  }

  static func read(_ path: String) throws -> Passphrase {
    do {
      var bytes = try SecureFile.read(path, limitBytes: fileBytes)
      defer { bytes.wipe() }
      return try firstLine(of: bytes)
    } catch StorageError.insecure(let path, let reason) {
      throw refused(path, reason)
    } catch StorageError.missing(let path) {
      throw Failure(.failed, "The passphrase file \(path) is not there. Nothing was changed.")
    }
  }
}
