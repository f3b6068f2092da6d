import Foundation
import Sync

/// The folder of a `pass` store: a tree of files that gpg decrypts.
struct PasswordStore: Sendable {
  /// 120 s: a person may have to type the passphrase of their key, once.
  private static let gpgSeconds = 120.0
  /// 1 MiB: far more than an entry has; an attachment is none.
  private static let entryBytes = 1024 * 1024

  let folder: String
  /// Whether gpg may ask for a passphrase on the terminal, which a full screen would not survive.
  let asks: Bool
  var environment = ProcessInfo.processInfo.environment

  /// All entries, decrypted, as ``/Sync/PassImport`` reads them. Blocks: see
  /// ``SystemConsole/waiting(_:)``.
  ///
  /// - Parameter counting: is told how many of how many are done.
  /// - Throws: ``Failure`` at the first entry that cannot be decrypted: all of a store is taken or
  ///   nothing.
  func read(
    limitBytes: Int, isCancelled: () -> Bool = { false },
    counting: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> [UInt8] {
    let files = try files()
    guard let gpg = AskedProgram.find("gpg", in: environment) else {
      throw Failure(.failed, "gpg is not installed, and only it can decrypt a pass store.")
    }
    var entries: [PassImport.Entry] = []
    var bytes = 0
    for (place, file) in files.enumerated() {
      if isCancelled() { throw CancellationError() }
      counting(place, files.count)
      let entry = try decrypt(file, with: gpg)
      bytes += entry.text.utf8.count
      guard bytes <= limitBytes else { throw ConsoleError.tooLong(folder, limit: limitBytes) }
      entries.append(entry)
    }
    return try PassImport.bytes(entries)
  }

  /// Paths below the folder without `.gpg`, in order. Hidden folders (`.git`) are left out.
  private func files() throws -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: folder),
      let all = walk.allObjects as? [String]
    else { throw ConsoleError.file(folder, operation: "Opening", code: ENOENT) }
    let files = all.filter { path in
      path.hasSuffix(".gpg") && !path.split(separator: "/").contains { $0.hasPrefix(".") }
    }
    guard !files.isEmpty else { throw ImportError.notPass }
    return files.map { String($0.dropLast(4)) }.sorted()
  }

  private func decrypt(_ file: String, with gpg: String) throws -> PassImport.Entry {
    let mode = asks ? [] : ["--pinentry-mode", "error"]
    let output: [UInt8]
    do {
      output = try AskedProgram(
        path: gpg,
        arguments: ["--batch", "--quiet", "--no-tty"] + mode
          + ["--decrypt", "--", "\(folder)/\(file).gpg"],
        environment: environment.merging(terminal) { own, _ in own }, seconds: Self.gpgSeconds
      ).run(input: [], limitBytes: Self.entryBytes)
    } catch {
      let cure =
        asks
        ? "Try `pass show` of it." : "Have gpg remember its passphrase by `pass show` of it first."
      throw Failure(.failed, "gpg could not decrypt \(file). Nothing was imported. \(cure)")
    }
    guard output.count <= Self.entryBytes, let text = String(validating: output, as: UTF8.self)
    else {
      throw Failure(
        .failed, "\(file) is no text, or too long. Nothing was imported. Move it out of the store.")
    }
    return PassImport.Entry(name: file, text: text)
  }

  /// Where gpg's agent asks, if it has to.
  private var terminal: [String: String] {
    guard asks, let name = ttyname(STDIN_FILENO) ?? ttyname(STDERR_FILENO) else { return [:] }
    return ["GPG_TTY": String(cString: name)]
  }
}
