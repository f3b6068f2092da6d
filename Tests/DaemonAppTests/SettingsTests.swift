import Foundation
import Testing

@testable import DaemonApp

/// The file of options that `--config` names.
struct SettingsTests {
  private static func read(_ text: String) throws -> Settings {
    let path = NSTemporaryDirectory() + "higginsd-\(UUID().uuidString.prefix(8)).toml"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { unlink(path) }
    return try Settings(path: path, environment: ["HIGGINSD_QUOTA": "7"])
  }

  @Test func anOptionComesFromTheLineElseTheEnvironmentElseTheFile() throws {
    let settings = try Self.read("data = \"/d\"\nquota = \"5\"\nread-only = true\n")
    #expect(settings.text("data", nil) == "/d")
    #expect(settings.text("data", "/e") == "/e")
    #expect(settings.text("quota", nil) == "7")
    #expect(try settings.flag("read-only", false))
  }

  /// The parser's own answer to these headings is to end the process.
  @Test(arguments: ["[!]", "[[!]]", "[", " [ ]x", "[ü]", "[\t\r"])
  func aHeadingWithoutANameIsRefused(_ heading: String) throws {
    let error = #expect(throws: DaemonError.self) {
      try Self.read("data = \"/d\"\n\(heading)\n")
    }
    #expect(error?.description.contains("is not TOML, line 2: ") == true, "\(error as Any)")
  }

  @Test(arguments: ["data = ", "what = \"x\"", "data = 7", "= 1"])
  func whatIsNoOptionIsRefused(_ text: String) throws {
    #expect(throws: DaemonError.self) { try Self.read(text) }
  }
}
