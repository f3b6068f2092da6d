import Testing

@testable import Wire

@Suite struct TextTests {
  // MARK: Hexadecimal

  @Test func hexadecimalIsLowerCaseAndReadsEither() {
    #expect(Hex.encode([0x00, 0x0f, 0xab, 0xff]) == "000fabff")
    #expect(Hex.decode("000FabFf") == [0x00, 0x0f, 0xab, 0xff])
    #expect(Hex.decode("") == [])
  }

  @Test(arguments: ["0", "0g", "-1", " 00", "00 ", "０0", "é", "0x"])
  func whatIsNoHexadecimalDoesNotRead(text: String) {
    #expect(Hex.decode(text) == nil)
  }

  // MARK: Base 64

  /// The vectors of RFC 4648, section 10, without padding, and one of the two special characters.
  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
    ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
  ])
  func base64HasTheVectorsOfTheRFC(plain: String, text: String) {
    #expect(Base64URL.encode(Array(plain.utf8)) == text)
    #expect(Base64URL.decode(text) == Array(plain.utf8))
  }

  @Test func base64UsesTheURLAlphabet() {
    #expect(Base64URL.encode([0xfb, 0xff, 0xbf]) == "-_-_")
    #expect(Base64URL.decode("-_-_") == [0xfb, 0xff, 0xbf])
  }

  @Test(arguments: [
    "Zg==", "Zg=", "+/+/", "Z", "Zm9vY", "Zm 9", "Zm9v\n", "\nZm9v", "Zé", "Zm9v.", "=", "====",
  ])
  func whatIsNoBase64DoesNotRead(text: String) {
    #expect(Base64URL.decode(text) == nil)
  }

  /// Two texts for one byte string would be two forms of one commit.
  @Test(arguments: ["Zh", "Zn", "Zm9", "Zm-", "Zm9vYh"])
  func base64WithBitsLeftOverDoesNotRead(text: String) {
    #expect(Base64URL.decode(text) == nil)
  }

  @Test func everyLengthSurvivesBothForms() {
    var chance = SeededBytes(seed: 1)
    for count in 0...200 {
      let bytes = chance.bytes(count)
      #expect(Hex.decode(Hex.encode(bytes)) == bytes)
      #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
    }
  }

  @Test func blobsAndDigestsAreBase64InJSON() throws {
    try expect([Blob([0xfb, 0xff]), Blob([])], is: #"["-_8",""]"#)
    try expect([Sample.digest(0)], is: #"["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]"#)
    #expect(throws: DecodingError.self) { try decoded([Blob].self, #"["=="]"#) }
    #expect(throws: DecodingError.self) { try decoded([Digest32].self, #"["AAAA"]"#) }
  }

  // MARK: Identifiers

  @Test func anIdentifierIsThirtyTwoDigits() throws {
    let bytes = Array(UInt8(0)..<16)
    let id = try #require(ContextID(bytes: bytes))
    #expect(id.bytes == bytes)
    #expect("\(id)" == "000102030405060708090a0b0c0d0e0f")
    #expect(ContextID("000102030405060708090A0B0C0D0E0F") == id)
    try expect([id], is: #"["000102030405060708090a0b0c0d0e0f"]"#)
  }

  @Test func noOtherLengthIsAnIdentifier() {
    for count in [0, 15, 17, 32] {
      #expect(DeviceID(bytes: Sample.repeated(1, count)) == nil)
      #expect(DeviceID(String(repeating: "01", count: count)) == nil)
    }
    #expect(throws: DecodingError.self) { try decoded([DeviceID].self, #"["01"]"#) }
  }

  @Test func identifiersAreOrderedByTheirBytes() {
    var chance = SeededBytes(seed: 2)
    for _ in 0..<500 {
      let (left, right) = (chance.bytes(16), chance.bytes(16))
      let ids = (DeviceID(bytes: left) ?? .zero, DeviceID(bytes: right) ?? .zero)
      #expect((ids.0 < ids.1) == left.lexicographicallyPrecedes(right))
    }
  }

  // MARK: Cursor

  @Test func integersAreBigEndian() throws {
    var writer = ByteWriter()
    writer.write(UInt8(1))
    writer.write(UInt16(0x0203))
    writer.write(UInt32(0x0405_0607))
    writer.write(UInt64(0x0809_0a0b_0c0d_0e0f))
    #expect(Hex.encode(writer.bytes) == "0102030405060708090a0b0c0d0e0f")
    var reader = ByteReader(writer.bytes)
    #expect(try reader.read(UInt8.self) == 1)
    #expect(try reader.read(UInt16.self) == 0x0203)
    #expect(try reader.read(UInt32.self) == 0x0405_0607)
    #expect(!reader.isAtEnd)
    #expect(reader.remaining == 8)
    #expect(try reader.read(UInt64.self) == 0x0809_0a0b_0c0d_0e0f)
    #expect(reader.isAtEnd)
    #expect(throws: WireError.truncated) { try reader.read(UInt8.self) }
  }

  @Test func aCountThatIsNotThereIsRefused() {
    var reader = ByteReader([1, 2, 3])
    for count in [-1, 4, Int.max, Int.min] {
      #expect(throws: WireError.truncated) { try reader.read(count: count) }
    }
    #expect(reader.remaining == 3)
  }
}
