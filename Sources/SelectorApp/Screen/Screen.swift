import Foundation
import Selector
import Storage
import Terminal

/// The full-screen selector: opens profile and terminal, and gives both back.
enum Screen {
  /// Runs until the person quits or the terminal is gone.
  static func run(options: GlobalOptions) async throws {
    let environment = ProcessInfo.processInfo.environment
    let folder = try options.folder()
    let device = folder.exists ? try Device.open(folder) : nil
    let keymap = try keymap(in: folder.configuration)
    let terminal: Terminal
    do {
      terminal = try Terminal.open(environment: environment)
    } catch {
      await device?.stop(flush: .zero)
      throw error
    }
    let driver = Driver(
      terminal: terminal, folder: folder, device: device, keymap: keymap,
      passphrasePath: options.passphrasePath())
    await driver.run()
    await terminal.close()
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
