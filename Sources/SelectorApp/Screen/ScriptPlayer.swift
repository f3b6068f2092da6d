import Foundation
import Selector
import Storage

/// Plays a ``Script`` into a ``Driver``: each step begins when the one before has been painted.
struct ScriptPlayer: Sendable {
  /// 20 s: what a loaded machine needs for a passphrase's hash and a server's answer. Before a
  /// person 120 s, as a tour waits for what they or other devices do.
  private var patienceSeconds: Int { setsSize ? 20 : 120 }
  /// 20 ms: how often a screen is looked at that has to change by itself.
  private static let glance = Duration.milliseconds(20)

  let script: Script
  let inbox: Inbox
  /// Whether the script says how large the screen is; a person's terminal is as large as it is.
  let setsSize: Bool

  static func read(_ path: String) throws -> Script {
    let handle =
      path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: expanded(path))
    guard let handle else {
      throw Failure(.notFound, "The script \(path) is not there. Nothing was played.")
    }
    let data = try handle.read(upToCount: Script.limitBytes + 1) ?? Foundation.Data()
    guard data.count <= Script.limitBytes, let text = String(data: data, encoding: .utf8) else {
      throw Failure(
        .failed, "The script \(path) is not UTF-8 text of at most 1 MiB. Nothing was played.")
    }
    do {
      return try Script(parsing: text)
    } catch {
      throw Failure(.usage, "\(path), \(error.description). Nothing was played.")
    }
  }

  /// Returns at its end, or when the selector ended.
  ///
  /// - Throws: ``Failure`` naming the line whose screen did not come.
  func play() async throws {
    for line in script.lines {
      try Task.checkCancellation()
      guard try await play(line) else { return }
    }
  }

  /// False when there is no selector any more.
  private func play(_ line: Script.Line) async throws -> Bool {
    switch line.step {
    case .press(let keys): return await press(keys)
    case .type(let text): return await press(text.map(Key.character))
    case .paste(let text): inbox.post(.paste(text))
    case .wait(let text): return try await look(for: text, isThere: true, line: line.number)
    case .gone(let text): return try await look(for: text, isThere: false, line: line.number)
    case .pause(let milliseconds): try await Task.sleep(for: .milliseconds(milliseconds))
    case .say(let text): inbox.post(.caption(text))
    case .save(let path): return try await save(path)
    case .size(let size):
      guard setsSize else {
        throw Failure(.usage, "Line \(line.number): a terminal's size is not the script's to set.")
      }
      inbox.post(.resize(size))
    }
    return await inbox.look() != nil
  }

  private func press(_ keys: [Key]) async -> Bool {
    for key in keys {
      inbox.post(.key(key))
      guard await inbox.look() != nil else { return false }
    }
    return true
  }

  private func look(for text: String, isThere: Bool, line: Int) async throws -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(patienceSeconds)
    while let shown = await inbox.look() {
      if shown.frame.lines.contains(where: { $0.contains(text) }) == isThere { return true }
      guard clock.now < end else {
        let verb = isThere ? "did not show" : "still shows"
        let what = "Line \(line): after \(patienceSeconds) s the screen \(verb) \"\(text)\"."
        // A person has the screen before them.
        let screen = setsSize ? " It was:\n" + shown.frame.lines.joined(separator: "\n") : ""
        throw Failure(.failed, what + screen)
      }
      try await Task.sleep(for: Self.glance)
    }
    return false
  }

  private func save(_ path: String) async throws -> Bool {
    guard let shown = await inbox.look() else { return false }
    try Self.write(shown, to: path)
    return true
  }

  /// Writes a screen as text, or as a picture where the name ends in `.svg`.
  static func write(_ shown: Shown, to path: String) throws {
    let text =
      path.hasSuffix(".svg")
      ? Picture.svg(shown.frame, theme: shown.theme)
      : shown.frame.lines.joined(separator: "\n") + "\n"
    try SecureFile.write(Array(text.utf8), to: expanded(path))
  }

  static func expanded(_ path: String) -> String { (path as NSString).expandingTildeInPath }
}
