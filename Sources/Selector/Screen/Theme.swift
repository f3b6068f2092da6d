/// How every meaning looks at every colour depth.
///
/// A theme file:
/// ```toml
/// inherits = "dark"                  # else "terminal"; what is not said here comes from there
/// [palette]
/// accent = "#89b4fa | 111 | blue"    # 24 bits | of 256 | of the terminal's own sixteen
/// [style]
/// heading-focused = "accent bold"    # FOREGROUND on BACKGROUND bold dim underline reverse
/// [mono]
/// heading-focused = "bold"           # where there are no colours
/// ```
/// Colours of the palette keep their meaning in inherited styles, so that a theme may be a palette
/// alone. Besides them a style may use the sixteen names and `default`.
public struct Theme: Sendable {
  public let name: String
  let definition: ThemeDefinition
  /// By depth, then by `StyleKey.index`.
  private let appearances: [[Appearance]]

  init(name: String, definition: ThemeDefinition) {
    self.name = name
    self.definition = definition
    let palette = definition.palette.merging(PaletteColour.named) { own, _ in own }
    appearances = ColourDepth.allCases.map { depth in
      let rules = depth == .mono ? definition.mono : definition.styles
      return StyleKey.allCases.map { key in
        rules[key]?.appearance(palette, depth: depth) ?? Appearance()
      }
    }
  }

  /// How cells of `style` look on a terminal of `depth`.
  public func attributes(for style: StyleKey, depth: ColourDepth) -> Appearance {
    appearances[depth.rawValue][Int(style.index)]
  }
}

extension Theme: Hashable {
  /// Themes are equal when they look alike.
  public static func == (one: Theme, other: Theme) -> Bool {
    one.name == other.name && one.appearances == other.appearances
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
  }
}

/// What a theme and the themes it inherits from say, before it is worked out for each depth.
struct ThemeDefinition: Hashable, Sendable {
  var palette: [String: PaletteColour] = [:]
  var styles: [StyleKey: StyleRule] = [:]
  var mono: [StyleKey: StyleRule] = [:]
}
