/// One colour of a theme at every depth.
struct PaletteColour: Hashable, Sendable {
  /// 24 bits, or one of the terminal's first eight, which stay numbers at that depth.
  var direct: ScreenColour
  var indexed: ScreenColour
  /// A number below 16, or the terminal's own.
  var basic: ScreenColour

  static let own = PaletteColour(direct: .own, indexed: .own, basic: .own)

  /// The names of the terminal's own colours; `default` is its foreground or background.
  static let named: [String: PaletteColour] = {
    var table = ["default": PaletteColour.own]
    for (number, name) in names.enumerated() {
      let index = ScreenColour.indexed(UInt8(number))
      let direct = number < 8 ? index : .rgb(ColourMath.standard[number])
      table[name] = PaletteColour(direct: direct, indexed: index, basic: index)
    }
    return table
  }()

  private static let names: [String] = {
    let plain = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
    return plain + plain.map { "bright-" + $0 }
  }()

  /// The colour written as `text`: up to three of `#rrggbb`, a number of the 256, and a name,
  /// separated by `|`. What is left out is the nearest of what is there. Nil when it is none.
  init?(_ text: String) {
    var rgb: UInt32?
    var number: UInt8?
    var name: PaletteColour?
    for part in text.split(separator: "|", omittingEmptySubsequences: false) {
      let word = part.trimmingPrefix { $0 == " " }.reversed().drop { $0 == " " }.reversed()
      let written = String(word)
      if rgb == nil, let value = Self.hexadecimal(written) {
        rgb = value
      } else if number == nil, let value = UInt8(written) {
        number = value
      } else if name == nil, let value = Self.named[written] {
        name = value
      } else {
        return nil
      }
    }
    self.init(rgb: rgb, number: number, name: name)
  }

  init(direct: ScreenColour, indexed: ScreenColour, basic: ScreenColour) {
    self.direct = direct
    self.indexed = indexed
    self.basic = basic
  }

  private init?(rgb: UInt32?, number: UInt8?, name: PaletteColour?) {
    guard let known = rgb ?? number.map(ColourMath.rgb(of256:)) else {
      guard let name else { return nil }
      self = name
      return
    }
    direct = .rgb(known)
    indexed = .indexed(number ?? ColourMath.nearest256(to: known))
    basic = name?.basic ?? .indexed(ColourMath.nearest16(to: known))
  }

  private static func hexadecimal(_ text: String) -> UInt32? {
    guard text.hasPrefix("#"), text.utf8.count == 7, text.dropFirst().allSatisfy(\.isHexDigit)
    else { return nil }
    return UInt32(text.dropFirst(), radix: 16)
  }
}

/// Arithmetic on 0xRRGGBB values.
enum ColourMath {
  /// What xterm shows for its first sixteen colours unless told otherwise.
  static let standard: [UInt32] = [
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
    0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
  ]

  private static let cubeLevels: [UInt32] = [0, 95, 135, 175, 215, 255]

  /// The colour xterm shows for a palette number: 16 basic, a 6x6x6 cube, 24 greys.
  static func rgb(of256 number: UInt8) -> UInt32 {
    let number = Int(number)
    if number < 16 { return standard[number] }
    if number >= 232 { return UInt32(8 + 10 * (number - 232)) * 0x010101 }
    let cube = number - 16
    return cubeLevels[cube / 36] << 16 | cubeLevels[cube / 6 % 6] << 8 | cubeLevels[cube % 6]
  }

  /// The nearest of the colours 16 to 255; the first sixteen are the person's to change.
  static func nearest256(to rgb: UInt32) -> UInt8 {
    let numbers = UInt8(16)...255
    return numbers.min { distance(self.rgb(of256: $0), rgb) < distance(self.rgb(of256: $1), rgb) }
      ?? 16
  }

  static func nearest16(to rgb: UInt32) -> UInt8 {
    let numbers = UInt8(0)...15
    return numbers.min {
      distance(standard[Int($0)], rgb) < distance(standard[Int($1)], rgb)
    } ?? 0
  }

  private static func distance(_ one: UInt32, _ other: UInt32) -> Int {
    zip(channels(one), channels(other)).reduce(0) { sum, pair in
      let difference = Int(pair.0) - Int(pair.1)
      return sum + difference * difference
    }
  }

  static func channels(_ rgb: UInt32) -> [UInt32] {
    [rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255]
  }
}
