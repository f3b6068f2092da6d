/// A theme's words for one meaning: `FOREGROUND on BACKGROUND bold dim underline reverse`, each
/// part optional. The empty rule is the terminal's own look.
struct StyleRule: Hashable, Sendable {
  var foreground: String?
  var background: String?
  var bold = false
  var dim = false
  var underline = false
  var reverse = false

  /// - Throws: the word that is no colour in its place and no attribute.
  init(parsing text: String) throws(StyleRuleError) {
    var words = text.split(separator: " ").map(String.init)[...]
    var isFirst = true
    while let word = words.popFirst() {
      if word == "on", background == nil, let colour = words.popFirst() {
        background = colour
      } else if !setAttribute(word) {
        guard isFirst, word != "on" else { throw StyleRuleError(word: word) }
        foreground = word
      }
      isFirst = false
    }
  }

  private mutating func setAttribute(_ word: String) -> Bool {
    switch word {
    case "bold": bold = true
    case "dim": dim = true
    case "underline": underline = true
    case "reverse": reverse = true
    default: return false
    }
    return true
  }

  var colours: [String] {
    [foreground, background].compactMap { $0 }
  }

  /// The look at `depth`. Colours of the rule are in `palette`; at mono they are left out.
  func appearance(_ palette: [String: PaletteColour], depth: ColourDepth) -> Appearance {
    var look = Appearance(bold: bold, dim: dim, underline: underline, reverse: reverse)
    let front = foreground.flatMap { palette[$0] } ?? .own
    let back = background.flatMap { palette[$0] } ?? .own
    switch depth {
    case .mono: break
    case .ansi8:
      // Eight colours and bold make the other eight, for the foreground at least.
      if case .indexed(let number) = front.basic, number >= 8 { look.bold = true }
      look.foreground = front.basic.belowEight
      look.background = back.basic.belowEight
    case .ansi16:
      look.foreground = front.basic
      look.background = back.basic
    case .indexed256:
      look.foreground = front.indexed
      look.background = back.indexed
    case .direct:
      look.foreground = front.direct
      look.background = back.direct
    }
    return look
  }
}

/// A word of a style rule that means nothing there.
struct StyleRuleError: Error {
  let word: String
}

extension ScreenColour {
  fileprivate var belowEight: ScreenColour {
    guard case .indexed(let number) = self else { return self }
    return .indexed(number % 8)
  }
}
