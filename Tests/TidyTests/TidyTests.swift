import Testing

/// Rules about the source text that no compiler checks.
@Suite struct TidyTests {
  private let tree: SourceTree

  init() throws {
    tree = try SourceTree.shared.get()
  }

  // MARK: The graph

  @Test func everyFolderOfSourcesIsATargetOfTheGraph() throws {
    #expect(try tree.targets() == Set(TargetGraph.rows.keys))
  }

  @Test func importsFollowTheGraph() {
    var offences: [String] = []
    for file in tree.sources where file.path.hasSuffix(".swift") {
      let modules = TargetGraph.offences(file.imports, of: file.target)
      offences += modules.sorted().map { "\(file.path) imports \($0)" }
    }
    #expect(offences == [])
  }

  @Test func noServerReachesVaultOrSync() {
    for server in TargetGraph.servers {
      #expect(TargetGraph.reach(of: server).isDisjoint(with: ["Vault", "Sync"]), "\(server)")
    }
  }

  @Test func edgesDoNotReachEachOther() {
    for edge in TargetGraph.edges {
      #expect(TargetGraph.reach(of: edge).isDisjoint(with: TargetGraph.edges), "\(edge)")
    }
  }

  @Test func targetsThatDecideReachNoIO() {
    for target in TargetGraph.pure {
      let reach = TargetGraph.reach(of: target)
      #expect(reach.isSubset(of: TargetGraph.pure.union(["CSodium"])), "\(target)")
    }
  }

  @Test func targetsThatDecideHaveNoClockAndNoChance() {
    let texts = [
      "Date()", "Date.now", "UUID()", "Task.sleep", "SystemRandomNumberGenerator",
      "ContinuousClock", "SuspendingClock",
    ]
    let files = tree.sources.filter { TargetGraph.pure.contains($0.target) }
    #expect(!files.isEmpty)
    #expect(files.flatMap { $0.places(of: texts) } == [])
  }

  @Test func onlyTerminalWritesEscapeSequences() {
    let escape = "\\"
    let texts = ["u{1b}", "u{1B}", "u{001b}", "u{001B}", "u{9b}", "u{9B}", "x1b", "033"]
      .map { escape + $0 }
    let files = tree.sources.filter { !["Terminal", "CNcurses"].contains($0.target) }
    #expect(files.flatMap { $0.places(of: texts) } == [])
  }

  // MARK: Text

  /// A sentence in a literal, which `swift format` does not break either.
  private static func isText(_ line: String) -> Bool {
    line.contains("\"") || line.hasSuffix(" \\")
  }

  @Test func linesHaveAtMostAHundredColumns() {
    var offences: [String] = []
    for file in tree.files {
      for (index, line) in file.lines.enumerated()
      where line.utf8.count > 100 && line.count > 100 && !Self.isText(line) {
        offences.append("\(file.path):\(index + 1)")
      }
    }
    #expect(offences == [])
  }

  @Test func filesHaveAtMostSixHundredLines() {
    #expect(tree.files.filter { $0.lines.count > 601 }.map(\.path) == [])
  }

  @Test func nothingIsForcedToSucceed() {
    #expect(tree.swift.flatMap { $0.places(of: ["try" + "!"]) } == [])
  }

  @Test func nothingIsLeftForLater() {
    // Written in two parts, so that this line is not found.
    let marks = ["TO" + "DO", "FIX" + "ME"]
    var offences: [String] = []
    for file in tree.files where marks.contains(where: file.contains) {
      for (index, line) in file.lines.enumerated() where marks.contains(where: line.contains) {
        offences.append("\(file.path):\(index + 1)")
      }
    }
    #expect(offences == [])
  }

  @Test func everyUncheckedSendableSaysWhatGuardsIt() {
    #expect(tree.sources.flatMap(\.uncheckedWithoutReason) == [])
  }

  @Test func theTopLevelIsWhatItIsSaidToBe() throws {
    // SwiftPM writes Package.resolved; it is not kept.
    let top = try tree.topLevel().subtracting(["Package.resolved"])
    #expect(top == ["Package.swift", "Sources", "Tests", "README.md", "themes", "Makefile"])
  }

  // MARK: The scanner itself

  @Test(arguments: [
    ("import Wire", "Wire"), ("public import Wire", "Wire"), ("@testable import Sync", "Sync"),
    ("@preconcurrency public import NIOCore", "NIOCore"), ("import struct Wire.Head", "Wire"),
    ("  import Glibc", "Glibc"), ("let import = 1", nil), ("importWire()", nil), ("import", nil),
  ])
  func importsAreFound(line: String, module: String?) {
    #expect(SourceTree.File.module(importedBy: line) == module)
  }

  @Test func anImportOffTheGraphIsFound() {
    #expect(TargetGraph.offences(["Wire", "Vault"], of: "PushServer") == ["Vault"])
    #expect(TargetGraph.offences(["Foundation", "Dispatch"], of: "Sync") == ["Dispatch"])
    #expect(TargetGraph.offences(["Dispatch"], of: "Transport") == [])
    #expect(TargetGraph.offences(["Wire"], of: "Newcomer") == ["Wire"])
  }

  @Test func whatBreaksARuleIsFound() {
    let declaration = "final class Box: @unchecked" + " Sendable {"
    func file(_ lines: String...) -> SourceTree.File {
      SourceTree.File(path: "Sources/Wire/Box.swift", text: lines.joined(separator: "\n"))
    }
    #expect(
      file("let now = Date()", "// Date()").places(of: ["Date()"]) == [
        "Sources/Wire/Box.swift:1"
      ])
    #expect(file("/// Why.", declaration).uncheckedWithoutReason == [])
    #expect(file("/// Why.", "@available(*)", declaration).uncheckedWithoutReason == [])
    #expect(
      file("/// Why.", "", declaration).uncheckedWithoutReason == [
        "Sources/Wire/Box.swift:3"
      ])
    #expect(file("}", declaration).uncheckedWithoutReason == ["Sources/Wire/Box.swift:2"])
    #expect(file("import Wire").target == "Wire")
  }
}
