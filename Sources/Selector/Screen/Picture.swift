/// A frame as a picture: SVG with the colours of a theme.
public enum Picture {
  /// Pixels of a cell: those of a 14-pixel font whose letters are 0.6 of its height wide.
  private static let (width, height, font) = (8.4, 17.0, 14)
  private static let margin = 12.0

  /// What the terminal's own colours are here; nobody knows what they are there.
  private static let ownForeground: UInt32 = 0xD6DEEB
  private static let ownBackground: UInt32 = 0x161B22

  /// The picture of `frame`, one text element for each run of the same style.
  public static func svg(_ frame: Frame, theme: Theme) -> String {
    let size = (
      Double(frame.size.columns) * width + 2 * margin,
      Double(frame.size.rows) * height + 2 * margin
    )
    let paper = colours(theme.attributes(for: .text, depth: .direct)).background
    var parts = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(number(size.0))\""
        + " height=\"\(number(size.1))\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo,"
        + " Consolas, monospace\" font-size=\"\(font)\" xml:space=\"preserve\">",
      "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"\(hexadecimal(paper))\"/>",
    ]
    for run in frame.runs(from: nil) { parts += elements(run, theme: theme, paper: paper) }
    return (parts + ["</svg>", ""]).joined(separator: "\n")
  }

  private static func elements(_ run: Run, theme: Theme, paper: UInt32) -> [String] {
    let look = theme.attributes(for: run.style, depth: .direct)
    let (foreground, background) = colours(look)
    let x = number(margin + Double(run.column) * width)
    let y = margin + Double(run.row) * height
    let length = number(Double(run.columns) * width)
    var elements: [String] = []
    if background != paper {
      elements.append(
        "<rect x=\"\(x)\" y=\"\(number(y))\" width=\"\(length)\" height=\"\(number(height))\""
          + " fill=\"\(hexadecimal(background))\"/>")
    }
    let text = run.glyphs.map(\.text).joined()
    guard text.contains(where: { $0 != " " }) else { return elements }
    var style = " fill=\"\(hexadecimal(foreground))\""
    if look.bold { style += " font-weight=\"bold\"" }
    if look.dim { style += " opacity=\"0.65\"" }
    if look.underline { style += " text-decoration=\"underline\"" }
    elements.append(
      "<text x=\"\(x)\" y=\"\(number(y + 13))\" textLength=\"\(length)\"\(style)>"
        + "\(escaped(text))</text>")
    return elements
  }

  private static func colours(_ look: Appearance) -> (foreground: UInt32, background: UInt32) {
    let foreground = rgb(look.foreground) ?? ownForeground
    let background = rgb(look.background) ?? ownBackground
    return look.reverse ? (background, foreground) : (foreground, background)
  }

  private static func rgb(_ colour: ScreenColour) -> UInt32? {
    switch colour {
    case .own: nil
    case .indexed(let number): ColourMath.rgb(of256: number)
    case .rgb(let value): value
    }
  }

  private static func hexadecimal(_ rgb: UInt32) -> String {
    let digits = String(rgb, radix: 16)
    return "#" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// With one digit behind the point at the most.
  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      // A space that is not alone would be lost in viewers that pass over xml:space.
      case " ": result += "\u{A0}"
      default: result.append(character)
      }
    }
    return result
  }
}
