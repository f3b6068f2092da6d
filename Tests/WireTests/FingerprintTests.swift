import Testing

@testable import Wire

@Suite struct FingerprintTests {
  private let digest = Digest32(bytes: (0..<32).map { UInt8($0 * 7) })!

  @Test func aFingerprintReadsAsTheDigestItWasMadeOf() {
    let text = digest.fingerprint
    #expect(text.count == 52 + 12)
    #expect(Digest32(fingerprint: text) == digest)
    #expect(Digest32(fingerprint: text.lowercased().filter { $0 != "-" }) == digest)
    for wrong in ["", "0", String(text.dropLast()), text + "0", "é" + text.dropFirst()] {
      #expect(Digest32(fingerprint: wrong) == nil, "\(wrong)")
    }
  }

  @Test func eightSymbolsOrMoreMatchAndNoFewer() {
    let symbols = Array(digest.fingerprint.filter { $0 != "-" })
    #expect(digest.matches(typed: String(symbols.prefix(8))))
    #expect(digest.matches(typed: "\(digest.fingerprint.prefix(9)) ".lowercased()))
    #expect(digest.matches(typed: digest.fingerprint))
    #expect(!digest.matches(typed: String(symbols.prefix(7))))
    #expect(!digest.matches(typed: ""))
    #expect(!digest.matches(typed: digest.fingerprint + "0"))
    #expect(!digest.matches(typed: String(symbols[1...8])))
  }
}
