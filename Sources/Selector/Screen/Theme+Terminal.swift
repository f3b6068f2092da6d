extension Theme {
  static let terminalName = "terminal"

  /// The theme of the program itself: the terminal's own sixteen colours, its own background,
  /// reverse and bold. It works without any file.
  public static let terminal = Theme(name: terminalName, definition: base)

  /// Where every theme begins.
  ///
  /// Each entry is the colours' look and, after it, the one without colours where that differs.
  /// Red, green, cyan and magenta only: blue is too dark on most black backgrounds, yellow too
  /// light on white ones.
  static let base: ThemeDefinition = {
    var definition = ThemeDefinition()
    for (key, style, mono) in looks {
      definition.styles[key] = style
      definition.mono[key] = mono ?? style.withoutColours
    }
    return definition
  }()

  private static let looks: [(StyleKey, StyleRule, StyleRule?)] = [
    (.text, StyleRule(), nil),
    (.dim, StyleRule(dim: true), nil),
    (.disabled, StyleRule(dim: true), nil),
    (.title, StyleRule(reverse: true), nil),
    (.titleMark, StyleRule(bold: true, reverse: true), nil),
    (.heading, StyleRule(), nil),
    (.headingFocused, StyleRule("cyan", bold: true), nil),
    (.bar, StyleRule(dim: true), nil),
    (.selected, StyleRule(reverse: true), nil),
    (.selectedUnfocused, StyleRule(bold: true), nil),
    (.match, StyleRule(bold: true, underline: true), nil),
    (.label, StyleRule("cyan"), nil),
    (.value, StyleRule(), nil),
    (.masked, StyleRule(), nil),
    (.revealed, StyleRule(bold: true), nil),
    (.editing, StyleRule(underline: true), nil),
    (.changedMark, StyleRule("cyan", bold: true), nil),
    (.addedMark, StyleRule("green", bold: true), nil),
    (.conflictMark, StyleRule("red", bold: true), StyleRule(bold: true, reverse: true)),
    (.pendingMark, StyleRule("magenta", bold: true), nil),
    (.online, StyleRule("green"), nil),
    (.offline, StyleRule(dim: true), nil),
    (.message, StyleRule(), nil),
    (.error, StyleRule("red", bold: true), StyleRule(bold: true, reverse: true)),
    (.prompt, StyleRule(bold: true), nil),
    (.hint, StyleRule(), nil),
    (.hintKey, StyleRule(bold: true), nil),
    (.dialog, StyleRule(), nil),
    (.dialogTitle, StyleRule(bold: true), nil),
  ]
}

extension StyleRule {
  fileprivate init(
    _ foreground: String? = nil, bold: Bool = false, dim: Bool = false, underline: Bool = false,
    reverse: Bool = false
  ) {
    self.foreground = foreground
    self.bold = bold
    self.dim = dim
    self.underline = underline
    self.reverse = reverse
  }

  fileprivate var withoutColours: StyleRule {
    var rule = self
    rule.foreground = nil
    rule.background = nil
    return rule
  }
}
