import Foundation
import Selector

/// The themes that are installed and the person's own, which win.
struct ThemeLibrary: Sendable {
  private let files: [String: String]
  let names: [String]

  /// Looks in the person's `themes/`, beside the program (`../share/higgins/themes`), and in the
  /// checkout a program under development runs from.
  init(configuration: String, executable: String = "/proc/self/exe") {
    let program = URL(fileURLWithPath: executable).resolvingSymlinksInPath()
      .deletingLastPathComponent()
    var folders = [URL(fileURLWithPath: configuration).appendingPathComponent("themes")]
    folders.append(program.appendingPathComponent("../share/higgins/themes").standardized)
    var above = program
    for _ in 0..<4 {
      above.deleteLastPathComponent()
      if FileManager.default.fileExists(atPath: above.appendingPathComponent("Package.swift").path)
      {
        folders.append(above.appendingPathComponent("themes"))
      }
    }
    var files: [String: String] = [:]
    for folder in folders {
      // A folder that is not there holds no themes.
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      for name in names where name.hasSuffix(".toml") {
        let key = String(name.dropLast(5))
        if files[key] == nil { files[key] = folder.appendingPathComponent(name).path }
      }
    }
    self.files = files
    names = ["terminal"] + files.keys.filter { $0 != "terminal" }.sorted()
  }

  /// The theme of that name, with those it inherits from.
  ///
  /// - Throws: ``Failure`` naming file and line of what does not read.
  func theme(_ name: String) throws -> Theme { try theme(name, beneath: []) }

  private func theme(_ name: String, beneath children: Set<String>) throws -> Theme {
    guard let path = files[name] else {
      if name == "terminal" { return .terminal }
      throw Failure(.notFound, "There is no theme \"\(name)\". The old one stays.")
    }
    do {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      return try Theme.parse(name: name, toml: text) { parent in
        guard files[parent] != nil, parent != name, !children.contains(parent) else { return nil }
        return try theme(parent, beneath: children.union([name]))
      }
    } catch let error as ThemeError {
      throw Failure(.failed, "\(path): \(error.description). The old theme stays.")
    }
  }
}
