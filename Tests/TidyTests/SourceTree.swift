import Foundation
import Glibc

/// The package as it lies on disk around this file.
struct SourceTree {
  /// Read once for all tests.
  static let shared = Result { try SourceTree() }

  struct File {
    /// From the package's root, with `/`.
    let path: String
    let text: String
    let lines: [String]
    /// Lines with their number from 1, those that are only a comment left out.
    let code: [(number: Int, text: String)]

    init(path: String, text: String) {
      self.path = path
      self.text = text
      lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      code = lines.enumerated().compactMap { index, line in
        line.utf8.drop { $0 == 0x20 }.starts(with: "//".utf8) ? nil : (index + 1, line)
      }
    }

    /// The folder below `Sources` or `Tests` it lies in.
    var target: String {
      let parts = path.split(separator: "/")
      return parts.count > 2 ? String(parts[1]) : ""
    }
  }

  let root: URL
  /// Every Swift, C and header file of `Sources` and `Tests`, and `Package.swift`.
  let files: [File]

  init() throws {
    // Links are followed, so that a package made of links to this one finds it, too.
    root = URL(filePath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    var paths = ["Package.swift"]
    for folder in ["Sources", "Tests"] {
      let names = try FileManager.default.subpathsOfDirectory(
        atPath: root.appending(path: folder).path)
      paths += names.map { "\(folder)/\($0)" }
    }
    files = try paths.sorted().filter { path in
      ["swift", "c", "h"].contains { path.hasSuffix(".\($0)") }
    }.map { [root] path in
      let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
      return File(path: path, text: text)
    }
  }

  /// The files of `Sources`.
  var sources: [File] { files.filter { $0.path.hasPrefix("Sources/") } }
  var swift: [File] { files.filter { $0.path.hasSuffix(".swift") } }

  /// What stands at the top, dotfiles left out.
  func topLevel() throws -> Set<String> {
    Set(
      try FileManager.default.contentsOfDirectory(atPath: root.path).filter { !$0.hasPrefix(".") })
  }

  /// The folders of `Sources`.
  func targets() throws -> Set<String> {
    let names = try FileManager.default.contentsOfDirectory(
      atPath: root.appending(path: "Sources").path)
    return Set(names.filter { !$0.hasPrefix(".") })
  }
}

extension SourceTree.File {
  /// `path:line` of every line of code that contains one of `texts`.
  func places(of texts: [String]) -> [String] {
    let found = texts.filter(contains)
    guard !found.isEmpty else { return [] }
    return code.filter { line in found.contains { line.text.contains($0) } }
      .map { "\(path):\($0.number)" }
  }

  /// Whether `text` stands anywhere in the file. Most files have none of what is looked for, and
  /// searching bytes is a hundred times faster than searching characters line by line.
  func contains(_ text: String) -> Bool {
    self.text.withCString { whole in text.withCString { strstr(whole, $0) } != nil }
  }

  /// The modules it imports.
  var imports: [String] { code.compactMap { Self.module(importedBy: $0.text) } }

  /// The module that a line imports; nil for any other line. `import struct A.B` imports A.
  static func module(importedBy line: String) -> String? {
    guard line.withCString({ strstr($0, "import ") }) != nil else { return nil }
    var words = line.split(separator: " ")
    let modifiers = ["public", "package", "internal", "fileprivate", "private"]
    while let first = words.first, first.hasPrefix("@") || modifiers.contains(String(first)) {
      words.removeFirst()
    }
    guard words.first == "import", words.count > 1 else { return nil }
    let kinds = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let"]
    let name = words.count > 2 && kinds.contains(String(words[1])) ? words[2] : words[1]
    return name.split(separator: ".").first.map(String.init)
  }

  /// The lines that declare `@unchecked Sendable` without a comment before the declaration. One
  /// comment line may be followed by attributes and the declaration's first lines.
  var uncheckedWithoutReason: [String] {
    let mark = "@unchecked" + " Sendable"
    guard contains(mark) else { return [] }
    return code.filter { $0.text.contains(mark) }.compactMap { number, _ in
      let before = lines[..<(number - 1)].suffix(3).reversed()
        .prefix { !$0.allSatisfy(\.isWhitespace) && $0 != "}" }
      let isExplained = before.contains { $0.drop(while: \.isWhitespace).hasPrefix("//") }
      return isExplained ? nil : "\(path):\(number)"
    }
  }
}
