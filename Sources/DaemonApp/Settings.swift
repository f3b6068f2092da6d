import Foundation
import SettingsFiles
import TOMLKit

/// Where an option's value comes from: the command line, else the environment, else the
/// configuration file.
struct Settings {
  /// Every key a configuration file may hold: the long options without their dashes.
  private static let known: Set<String> = [
    "data", "listen", "push-listen", "signals-listen", "push-url", "registration", "log-level",
    "log-json", "behind-proxy", "tls-certificate", "tls-key", "ready-file", "service-key-file",
    "push-signals-url",
    "attributes-url", "gateways", "allowed-origins", "chat-demo", "chat-secret-file", "hixie-75",
    "echo", "read-only", "quota",
  ]

  private let environment: [String: String]
  private var file: [String: String] = [:]

  /// Reads the file at `path`; without one only the environment counts.
  init(path: String?, environment: [String: String] = ProcessInfo.processInfo.environment)
    throws(DaemonError)
  {
    self.environment = environment
    guard let path = path ?? environment["HIGGINSD_CONFIG"] else { return }
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw .usage("The configuration file \(path) cannot be read.")
    }
    file = try Self.read(text, path: path)
  }

  private static func read(
    _ text: String, path: String
  ) throws(DaemonError) -> [String: String] {
    let table: TOMLTable
    do {
      table = try SettingsText(text: text).table()
    } catch {
      throw .usage("\(path) is not TOML, \(error)")
    }
    var values: [String: String] = [:]
    for key in table.keys {
      guard known.contains(key) else {
        throw .usage("\(path) sets `\(key)`, which is no option of higginsd.")
      }
      guard let value = table[key] else { continue }
      if let text = value.string {
        values[key] = text
      } else if let flag = value.bool {
        values[key] = flag ? "true" : "false"
      } else {
        throw .usage("\(path): `\(key)` must be text in quotes, or true or false.")
      }
    }
    return values
  }

  func text(_ key: String, _ given: String?) -> String? {
    if let given { return given }
    let name = "HIGGINSD_" + key.uppercased().replacingOccurrences(of: "-", with: "_")
    return environment[name] ?? file[key]
  }

  func flag(_ key: String, _ given: Bool) throws(DaemonError) -> Bool {
    if given { return true }
    switch text(key, nil)?.lowercased() {
    case nil, "false", "0", "no", "": return false
    case "true", "1", "yes": return true
    case let other?: throw .usage("`\(key)` is true or false, not `\(other)`.")
    }
  }
}
