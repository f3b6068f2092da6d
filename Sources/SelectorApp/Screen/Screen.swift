import Foundation
import Selector
import Storage
import Terminal

/// The full-screen selector: opens profile and terminal, and gives both back.
enum Screen {
  /// Runs until the person quits or the terminal is gone.
  ///
  /// - Parameters:
  ///   - script: pressed instead of a person's keys, or before them.
  ///   - size: of a screen that nobody sees, for a script alone; nil opens the terminal.
  ///   - isPlain: lines in and out instead of a screen.
  static func run(
    options: GlobalOptions, script: Script? = nil, size: Size? = nil, isPlain: Bool = false
  ) async throws {
    let environment = ProcessInfo.processInfo.environment
    let folder = try options.folder()
    let device = folder.exists ? try Device.open(folder) : nil
    let keymap = try keymap(in: folder.configuration)
    let preferences = try preferences(in: folder.configuration)
    let terminal: any Surface
    let lines = isPlain ? PlainConsole() : nil
    do {
      terminal = try lines ?? size.map(Canvas.init) ?? Terminal.open(environment: environment)
    } catch {
      await device?.stop(flush: .zero)
      throw error
    }
    let driver = Driver(
      terminal: terminal, folder: folder, device: device, keymap: keymap,
      preferences: preferences,
      passphrasePath: options.passphrasePath())
    let interruption = lines.map { _ in Interruption { driver.inbox.post([.quit]) } }
    await driver.run(script: script, isAlone: size != nil, lines: lines)
    await terminal.close()
    interruption?.end()
    if let failure = await driver.wiped { throw failure }
    if let failure = await driver.scriptFailure { throw failure }
  }

  static let preferencesFile = "preferences.toml"

  private static func preferences(in configuration: String) throws -> Preferences {
    let path = "\(configuration)/\(preferencesFile)"
    guard FileManager.default.fileExists(atPath: path) else { return Preferences() }
    do {
      return try Preferences(parsing: try String(contentsOfFile: path, encoding: .utf8))
    } catch let error as PreferencesError {
      throw Failure(
        .usage, "\(path): line \(error.line): \(error.reason). Nothing was changed.")
    }
  }

  private static func keymap(in configuration: String) throws -> Keymap {
    let path = "\(configuration)/keys.toml"
    guard FileManager.default.fileExists(atPath: path) else { return .standard }
    do {
      return try Keymap.parse(try String(contentsOfFile: path, encoding: .utf8))
    } catch let error as KeymapError {
      throw Failure(.usage, "\(path): \(error.description). Nothing was changed.")
    }
  }
}
