/// A QR code (ISO/IEC 18004) of a short text in capitals and digits: what a camera reads off a
/// screen instead of a person typing it.
///
/// Alphanumeric mode, error correction level M (a seventh of it may be unreadable), versions 1 to
/// 6: up to 154 characters. The mask is the one with the least penalty, as the standard asks.
struct QRCode: Hashable, Sendable {
  /// Modules on a side.
  let side: Int
  /// Row by row; true is dark.
  private(set) var modules: [Bool]

  private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
  /// Of level M, by version: data codewords of a block, how many blocks, and their check codewords.
  private static let blocks: [(data: Int, count: Int, check: Int)] = [
    (16, 1, 10), (28, 1, 16), (44, 1, 26), (32, 2, 18), (43, 2, 24), (27, 4, 16),
  ]

  subscript(row: Int, column: Int) -> Bool { modules[row * side + column] }

  /// nil for a text that is too long or has other characters.
  init?(_ text: String) {
    let values = text.compactMap { Self.alphabet.firstIndex(of: $0) }
    guard values.count == text.count, !values.isEmpty else { return nil }
    let bits = values.count / 2 * 11 + values.count % 2 * 6 + 13
    guard let place = Self.blocks.firstIndex(where: { bits <= $0.data * $0.count * 8 }) else {
      return nil
    }
    let version = place + 1
    side = 17 + 4 * version
    modules = [Bool](repeating: false, count: side * side)
    let codewords = Self.codewords(values, Self.blocks[place])
    var best: (penalty: Int, modules: [Bool])?
    for mask in 0..<8 {
      var canvas = Canvas(version: version, side: side)
      canvas.drawPatterns(mask: mask)
      canvas.draw(codewords, mask: mask)
      let penalty = canvas.penalty
      if best.map({ penalty < $0.penalty }) ?? true { best = (penalty, canvas.modules) }
    }
    modules = best?.modules ?? modules
  }

  // MARK: Codewords

  private static func codewords(
    _ values: [Int], _ blocks: (data: Int, count: Int, check: Int)
  ) -> [UInt8] {
    var bits: [Bool] = []
    func append(_ value: Int, _ count: Int) {
      for place in stride(from: count - 1, through: 0, by: -1) {
        bits.append(value >> place & 1 == 1)
      }
    }
    append(0b0010, 4)
    append(values.count, 9)
    for place in stride(from: 0, to: values.count - 1, by: 2) {
      append(values[place] * 45 + values[place + 1], 11)
    }
    if values.count % 2 == 1 { append(values[values.count - 1], 6) }
    let capacity = blocks.data * blocks.count * 8
    append(0, min(4, capacity - bits.count))
    append(0, (8 - bits.count % 8) % 8)
    var bytes = stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<(start + 8)].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
    }
    for place in 0..<(capacity / 8 - bytes.count) { bytes.append(place % 2 == 0 ? 0xec : 0x11) }
    let parts = (0..<blocks.count).map {
      Array(bytes[($0 * blocks.data)..<(($0 + 1) * blocks.data)])
    }
    let checks = parts.map { check(of: $0, count: blocks.check) }
    return (0..<blocks.data).flatMap { place in parts.map { $0[place] } }
      + (0..<blocks.check).flatMap { place in checks.map { $0[place] } }
  }

  /// Reed-Solomon over GF(256) with x⁸ + x⁴ + x³ + x² + 1.
  private static func check(of data: [UInt8], count: Int) -> [UInt8] {
    var generator: [UInt8] = [1]
    var root: UInt8 = 1
    for _ in 0..<count {
      var next = generator + [0]
      for (place, factor) in generator.enumerated() { next[place + 1] ^= product(factor, root) }
      generator = next
      root = product(root, 2)
    }
    var rest = [UInt8](repeating: 0, count: count)
    for byte in data {
      let factor = byte ^ rest[0]
      rest = Array(rest.dropFirst()) + [0]
      for place in 0..<count { rest[place] ^= product(generator[place + 1], factor) }
    }
    return rest
  }

  private static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
    var (product, left, right) = (UInt8(0), left, right)
    while right > 0 {
      if right & 1 == 1 { product ^= left }
      left = left << 1 ^ (left & 0x80 != 0 ? 0x1d : 0)
      right >>= 1
    }
    return product
  }
}

/// Modules while they are drawn.
private struct Canvas {
  let version: Int
  let side: Int
  var modules: [Bool]
  /// Modules that hold no data.
  private var isTaken: [Bool]

  init(version: Int, side: Int) {
    self.version = version
    self.side = side
    modules = [Bool](repeating: false, count: side * side)
    isTaken = modules
  }

  private mutating func set(_ row: Int, _ column: Int, _ isDark: Bool) {
    guard (0..<side).contains(row), (0..<side).contains(column) else { return }
    modules[row * side + column] = isDark
    isTaken[row * side + column] = true
  }

  /// All that is the same whatever the text: finders, timing, alignment, format.
  mutating func drawPatterns(mask: Int) {
    for place in 0..<side {
      set(6, place, place % 2 == 0)
      set(place, 6, place % 2 == 0)
    }
    for (row, column) in [(3, 3), (3, side - 4), (side - 4, 3)] {
      drawRings(row, column, reach: 4) { $0 != 2 && $0 != 4 }
    }
    // Versions 2 to 6 have one.
    if version > 1 { drawRings(side - 7, side - 7, reach: 2) { $0 != 1 } }
    drawFormat(mask: mask)
  }

  private mutating func drawRings(
    _ row: Int, _ column: Int, reach: Int, isDark: (Int) -> Bool
  ) {
    for down in -reach...reach {
      for right in -reach...reach {
        set(row + down, column + right, isDark(max(abs(down), abs(right))))
      }
    }
  }

  /// Level M is 00; the mask; and ten bits of BCH code, twice.
  private mutating func drawFormat(mask: Int) {
    var rest = mask
    for _ in 0..<10 { rest = rest << 1 ^ (rest >> 9) * 0x537 }
    let bits = (mask << 10 | rest) ^ 0x5412
    func bit(_ place: Int) -> Bool { bits >> place & 1 == 1 }
    for place in 0..<6 { set(place, 8, bit(place)) }
    set(7, 8, bit(6))
    set(8, 8, bit(7))
    set(8, 7, bit(8))
    for place in 9..<15 { set(8, 14 - place, bit(place)) }
    for place in 0..<8 { set(8, side - 1 - place, bit(place)) }
    for place in 8..<15 { set(side - 15 + place, 8, bit(place)) }
    set(side - 8, 8, true)
  }

  /// Two columns at a time from the right, up and down in turn, past the timing column.
  mutating func draw(_ codewords: [UInt8], mask: Int) {
    var place = 0
    var isUpward = true
    for pair in stride(from: side - 1, through: 1, by: -2) {
      let right = pair <= 6 ? pair - 1 : pair
      for step in 0..<side {
        let row = isUpward ? side - 1 - step : step
        for column in [right, right - 1] where !isTaken[row * side + column] {
          let isDark =
            place < codewords.count * 8 && codewords[place / 8] >> (7 - place % 8) & 1 == 1
          modules[row * side + column] = isDark != Self.inverts(mask, row, column)
          place += 1
        }
      }
      isUpward.toggle()
    }
  }

  private static func inverts(_ mask: Int, _ row: Int, _ column: Int) -> Bool {
    switch mask {
    case 0: (row + column) % 2 == 0
    case 1: row % 2 == 0
    case 2: column % 3 == 0
    case 3: (row + column) % 3 == 0
    case 4: (row / 2 + column / 3) % 2 == 0
    case 5: row * column % 2 + row * column % 3 == 0
    case 6: (row * column % 2 + row * column % 3) % 2 == 0
    default: ((row + column) % 2 + row * column % 3) % 2 == 0
    }
  }

  /// How hard it is to read: runs, squares, what looks like a finder, and more of one colour.
  var penalty: Int {
    var sum = 0
    let lines =
      (0..<side).map { row in (0..<side).map { modules[row * side + $0] } }
      + (0..<side).map { column in (0..<side).map { modules[$0 * side + column] } }
    for line in lines { sum += Self.penalty(of: line) }
    for row in 0..<(side - 1) {
      for column in 0..<(side - 1) {
        let one = modules[row * side + column]
        if one == modules[row * side + column + 1], one == modules[(row + 1) * side + column],
          one == modules[(row + 1) * side + column + 1]
        {
          sum += 3
        }
      }
    }
    let dark = modules.count { $0 } * 100
    return sum + abs(dark / modules.count - 50) / 5 * 10
  }

  private static let finder = [true, false, true, true, true, false, true]

  private static func penalty(of line: [Bool]) -> Int {
    var sum = 0
    var run = 0
    for (place, module) in line.enumerated() {
      run = place > 0 && module == line[place - 1] ? run + 1 : 1
      if run == 5 { sum += 3 } else if run > 5 { sum += 1 }
    }
    let light = [Bool](repeating: false, count: 4)
    for pattern in [finder + light, light + finder] where line.count >= pattern.count {
      for start in 0...(line.count - pattern.count)
      where line[start..<(start + pattern.count)].elementsEqual(pattern) {
        sum += 40
      }
    }
    return sum
  }
}

extension QRCode {
  /// Two rows of modules a line, with a quiet edge of two. What is light is drawn, as most
  /// terminals are dark; cameras read the other way round, too.
  var lines: [String] {
    let quiet = 2
    func isLight(_ row: Int, _ column: Int) -> Bool {
      guard row < side + quiet else { return false }
      return !((0..<side).contains(row) && (0..<side).contains(column) && self[row, column])
    }
    return stride(from: -quiet, to: side + quiet, by: 2).map { row in
      String(
        (-quiet..<(side + quiet)).map { column -> Character in
          switch (isLight(row, column), isLight(row + 1, column)) {
          case (true, true): "█"
          case (true, false): "▀"
          case (false, true): "▄"
          case (false, false): " "
          }
        })
    }
  }
}
