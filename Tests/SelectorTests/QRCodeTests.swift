import Testing

@testable import Selector

/// Codes for a camera.
@Suite struct QRCodeTests {
  private static let kit = "7Q2M-4XKD-90PA-ZT3R-HG8V-5B1C-WNJE-6FS0-K2DY"

  /// The rows that the Python package segno 1.6 draws for the same text, level and mask; its first
  /// module is the most significant bit.
  private static let drawnElsewhere: [UInt32] = [
    0x1fded17f, 0x1042e841, 0x17444a5d, 0x17520f5d, 0x17550a5d, 0x10581941, 0x1fd5557f,
    0x11bb00, 0x11748af9, 0x15afd320, 0x36f1584, 0xc954069, 0x15fffdf8, 0x9a20fb1,
    0xd48e4ec, 0xc17b7d3, 0x1c6080cc, 0x1a8ed50a, 0x76c18d5, 0x5854e19, 0x1c7fe1f2,
    0x180d1e, 0x1fd3f357, 0x1041b512, 0x175f87f2, 0x174d74ae, 0x174ba7f7, 0x10492b06,
    0x1fd1e310,
  ]

  @Test func aKitIsDrawnAsOthersDrawIt() throws {
    let code = try #require(QRCode(Self.kit))
    #expect(code.side == 29)
    let rows = (0..<code.side).map { row in
      (0..<code.side).reduce(UInt32(0)) { $0 << 1 | (code[row, $1] ? 1 : 0) }
    }
    #expect(rows == Self.drawnElsewhere)
  }

  @Test func twoRowsStandInOneLineWithAQuietEdge() throws {
    let code = try #require(QRCode(Self.kit))
    let lines = code.lines
    #expect(lines.count == 17 && lines.allSatisfy { $0.count == 33 })
    #expect(lines[0].allSatisfy { $0 == "█" })
    for row in 0..<code.side {
      for column in 0..<code.side {
        let line = Array(lines[(row + 2) / 2])
        let isUpper = row % 2 == 0
        let light: Set<Character> = isUpper ? ["█", "▀"] : ["█", "▄"]
        #expect(light.contains(line[column + 2]) == !code[row, column])
      }
    }
  }

  @Test func theTextDecidesHowLargeItIs() {
    #expect(QRCode(String(repeating: "A", count: 20))?.side == 21)
    #expect(QRCode(String(repeating: "A", count: 154))?.side == 41)
    #expect(QRCode(String(repeating: "A", count: 155)) == nil)
    #expect(QRCode("lower case") == nil && QRCode("") == nil)
  }
}
