import Foundation
import Selector
import Testing

@Suite struct ThemeTests {
  @Test func theBuiltInThemeEqualsItsFile() throws {
    #expect(try ThemeFiles.theme("terminal") == Theme.terminal)
  }

  @Test func theTerminalThemeUsesNoBackgroundAndOnlySixteenColours() {
    for style in StyleKey.allCases {
      let look = Theme.terminal.attributes(for: style, depth: .direct)
      #expect(look.background == .own)
      if case .rgb = look.foreground { Issue.record("\(style)") }
    }
  }

  @Test(arguments: [
    "dark", "light", "high-contrast", "solarized-dark", "solarized-light", "gruvbox",
  ])
  func everyTextStandsOutFromItsBackground(name: String) throws {
    let theme = try ThemeFiles.theme(name)
    let least = name == "high-contrast" ? 7.0 : 4.5
    for style in StyleKey.allCases {
      for depth in [ColourDepth.indexed256, .direct] {
        let look = theme.attributes(for: style, depth: depth)
        let (front, back) = (try luminance(look.foreground), try luminance(look.background))
        let contrast = (max(front, back) + 0.05) / (min(front, back) + 0.05)
        #expect(contrast >= least, "\(name) \(style) at \(depth)")
      }
      let basic = theme.attributes(for: style, depth: .ansi16)
      #expect(basic.foreground != basic.background, "\(name) \(style)")
      let eight = theme.attributes(for: style, depth: .ansi8)
      #expect(eight.foreground != eight.background, "\(name) \(style)")
    }
  }

  @Test func noThemeHasColoursAtMono() throws {
    for name in try ThemeFiles.names() {
      let theme = try ThemeFiles.theme(name)
      for style in StyleKey.allCases {
        let look = theme.attributes(for: style, depth: .mono)
        #expect(look.foreground == .own && look.background == .own)
      }
    }
  }

  @Test func theMonoThemeHasColoursAtNoDepth() throws {
    let theme = try ThemeFiles.theme("mono")
    for depth in ColourDepth.allCases {
      for style in StyleKey.allCases {
        let look = theme.attributes(for: style, depth: depth)
        #expect(look == Theme.terminal.attributes(for: style, depth: .mono))
      }
    }
  }

  @Test func marksCanBeToldApartWithoutColour() {
    let look = { Theme.terminal.attributes(for: $0, depth: .mono) }
    #expect(look(.selected) != look(.text))
    #expect(look(.selected) != look(.selectedUnfocused))
    #expect(look(.error) != look(.message))
    #expect(look(.headingFocused) != look(.heading))
    #expect(look(.editing) != look(.value))
  }

  @Test func eightShippedThemes() throws {
    #expect(
      try ThemeFiles.names() == [
        "dark", "gruvbox", "high-contrast", "light", "mono", "solarized-dark", "solarized-light",
        "terminal",
      ])
  }

  @Test func aPaletteEntryHasAColourForEachDepth() throws {
    let theme = try Theme.parse(
      name: "t",
      toml: """
        [palette]
        accent = "#89b4fa | 111 | bright-blue"
        derived = "#ff0000"
        [style]
        text = "accent on derived bold"
        """)
    let text = { theme.attributes(for: .text, depth: $0) }
    #expect(text(.direct).foreground == .rgb(0x89B4FA))
    #expect(text(.indexed256).foreground == .indexed(111))
    #expect(text(.ansi16).foreground == .indexed(12))
    #expect(text(.ansi8).foreground == .indexed(4))
    #expect(text(.mono) == Appearance())
    #expect(text(.indexed256).background == .indexed(196))
    #expect(text(.ansi16).background == .indexed(9))
    #expect(text(.ansi8).background == .indexed(1))
    #expect(text(.ansi8).bold)
  }

  @Test func aChildThemeMayBeAPaletteAlone() throws {
    let parent = try Theme.parse(
      name: "parent", toml: "[palette]\na = \"#010101\"\n[style]\ntext = \"a\"")
    let child = try Theme.parse(name: "child", toml: "inherits = \"parent\"\n[palette]\na = \"7\"")
    {
      $0 == "parent" ? parent : nil
    }
    #expect(child.attributes(for: .text, depth: .indexed256).foreground == .indexed(7))
  }

  @Test(arguments: [
    ("colour = 1", 1, ThemeError.What.unknownTable("colour")),
    ("[style]\ntext = \"\"\nfoo = \"bold\"", 3, .unknownStyle("foo")),
    ("[style]\n\ntext = \"blod\"\ndim = \"\"", 3, .unknownWord("blod")),
    ("[style]\ntext = \"bold blue\"", 2, .unknownWord("blue")),
    ("[style]\ntext = \"blue on\"", 2, .unknownWord("on")),
    ("[mono]\ntext = \"\"\n[style]\ntext = \"x\"", 4, .unknownWord("x")),
    ("[mono]\ntext = \"red bold\"", 2, .colourInMono("red")),
    ("[palette]\na = \"#12345\"", 2, .badColour("#12345")),
    ("[palette]\na = \"1 | 2\"", 2, .badColour("1 | 2")),
    ("[palette]\nbold = \"1\"", 2, .badColour("1")),
    ("[palette]\na = 3", 2, .notText("a")),
    ("inherits = \"nowhere\"", 1, .unknownTheme("nowhere")),
  ])
  func aWrongThemeIsRefusedWithItsLine(text: String, line: Int, what: ThemeError.What) {
    #expect(throws: ThemeError(line: line, what: what)) {
      try Theme.parse(name: "t", toml: text)
    }
  }

  @Test func brokenTOMLIsRefusedWithItsLine() throws {
    let error = try #require(throws: ThemeError.self) {
      try Theme.parse(name: "t", toml: "[style]\ntext = \"")
    }
    #expect(error.line == 2)
  }

  @Test func noColorMeansMonoWhateverTheTerminal() {
    let depth = { ColourDepth.detect(environment: $0, colours: $1, isDirect: $2) }
    #expect(depth(["NO_COLOR": "1"], 256, false) == .mono)
    #expect(depth(["NO_COLOR": ""], 256, false) == .indexed256)
    #expect(depth(["COLORTERM": "truecolor"], 256, false) == .indexed256)
    #expect(depth([:], 16_777_216, true) == .direct)
    #expect(depth([:], 16, false) == .ansi16)
    #expect(depth([:], 8, false) == .ansi8)
    #expect(depth([:], -1, false) == .mono)
  }
}

/// Relative luminance (WCAG 2.1) of a colour that has a known value.
private func luminance(_ colour: ScreenColour) throws -> Double {
  let rgb: UInt32
  switch colour {
  case .rgb(let value): rgb = value
  case .indexed(let number): rgb = try #require(xterm(number))
  case .own: throw CancellationError()
  }
  let parts = [rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255].map { channel -> Double in
    let share = Double(channel) / 255
    return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
  }
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
}

/// Colours 16 to 255 of xterm; nil below, which are the person's own.
private func xterm(_ number: UInt8) -> UInt32? {
  guard number >= 16 else { return nil }
  if number >= 232 { return (UInt32(number) - 232) * 0x0A0A0A + 0x080808 }
  let cube = UInt32(number) - 16
  let level = { (step: UInt32) -> UInt32 in step == 0 ? 0 : 55 + 40 * step }
  return level(cube / 36) << 16 | level(cube / 6 % 6) << 8 | level(cube % 6)
}

/// The theme files of the project.
private enum ThemeFiles {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "themes")

  static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }.sorted()
  }

  static func theme(_ name: String) throws -> Theme {
    let file = folder.appending(path: name + ".toml")
    let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    return try Theme.parse(name: name, toml: text, inherits: theme)
  }
}
