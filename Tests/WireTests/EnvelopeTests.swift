import Testing

@testable import Wire

@Suite struct EnvelopeTests {
  /// The header of ``Sample/header``, field by field.
  private static let goldenHeader = [
    "43545831",  // "CTX1"
    "01",  // suite
    "01",  // type: data
    "acacacacacacacacacacacacacacacac",  // account
    "00000000",  // vault
    "00000001",  // epoch
    "d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1",  // device
    "000000000000002a",  // sequence 42
    "7171717171717171717171717171717171717171717171717171717171717171",  // previous
    "3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e",  // member head
    "01",  // one dependency
    "d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2",
    "0000000000000007",
    "7272727272727272727272727272727272727272727272727272727272727272",
    "0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e",  // nonce
    "00000005",  // ciphertext length
  ].joined()

  @Test func theHeaderHasTheseBytes() {
    #expect(Hex.encode(Sample.header.encoded(ciphertextLength: 5)) == Self.goldenHeader)
  }

  @Test func anEnvelopeReadsBackAsItsParts() throws {
    let envelope = try Envelope(bytes: Sample.envelope)
    #expect(envelope.header == Sample.header)
    #expect(Hex.encode(envelope.headerBytes) == Self.goldenHeader)
    #expect(Hex.encode(envelope.ciphertext) == "c1c2c3c4c5")
    #expect(Array(envelope.signature) == Sample.repeated(0x51, 64))
    #expect(
      Hex.encode(envelope.signedBytes)
        == "6374782f76312f636f6d6d6974" + Self.goldenHeader + "c1c2c3c4c5")
    #expect(envelope.bytes == Sample.envelope)
  }

  @Test(arguments: [
    (EnvelopeHeader.Kind.data, UInt8(1)), (.membership, 2), (.heartbeat, 3), (.snapshotManifest, 4),
  ])
  func everyKindHasItsNumber(kind: EnvelopeHeader.Kind, number: UInt8) throws {
    var bytes = Sample.envelope
    bytes[5] = number
    #expect(try Envelope(bytes: bytes).header.kind == kind)
  }

  @Test func dependenciesAreWrittenInTheOrderOfTheirDevices() throws {
    var header = Sample.header
    header.dependencies = Frontier()
    let devices = (1...64).map { Sample.id(DeviceID.self, UInt8($0)) }
    for device in devices.shuffled() {
      header.dependencies[device] = Head(sequence: 1, hash: Sample.digest(9))
    }
    let bytes = header.encoded(ciphertextLength: 0)
    #expect(bytes[118] == 64)
    for (position, device) in devices.enumerated() {
      let start = 119 + position * 56
      #expect(Array(bytes[start..<(start + 16)]) == device.bytes)
    }
    #expect(try Envelope(bytes: bytes + Sample.repeated(0, 64)).header == header)
  }

  @Test func numbersKeepAllTheirBits() throws {
    var header = Sample.header
    header.vault = 0x0102_0304
    header.epoch = .max
    header.sequence = 0x0102_0304_0506_0708
    let bytes = header.encoded(ciphertextLength: 0) + Sample.repeated(0, 64)
    #expect(Hex.encode(bytes[22..<30]) == "01020304ffffffff")
    #expect(Hex.encode(bytes[46..<54]) == "0102030405060708")
    #expect(try Envelope(bytes: bytes).header == header)
  }

  // MARK: Refusals

  @Test func everyTruncationIsRefused() {
    for count in Sample.envelope.indices {
      #expect(throws: WireError.truncated) { try Envelope(bytes: Array(Sample.envelope[..<count])) }
    }
  }

  @Test func bytesAfterTheSignatureAreRefused() {
    #expect(throws: WireError.trailingBytes(count: 3)) {
      try Envelope(bytes: Sample.envelope + [1, 2, 3])
    }
  }

  @Test func anotherLayoutOrSuiteOrTypeIsRefused() {
    #expect(throws: WireError.wrongMagic) { try envelope { $0[3] = 0x32 } }
    #expect(throws: WireError.wrongMagic) { try Envelope(bytes: Sample.addition) }
    #expect(throws: WireError.unknownSuite(2)) { try envelope { $0[4] = 2 } }
    #expect(throws: WireError.unknownSuite(0)) { try envelope { $0[4] = 0 } }
    #expect(throws: WireError.unknownType(0)) { try envelope { $0[5] = 0 } }
    #expect(throws: WireError.unknownType(5)) { try envelope { $0[5] = 5 } }
  }

  @Test func moreDependenciesThanDevicesAreRefusedUnread() {
    #expect(throws: WireError.overLimit(limit: "devices", value: 65)) {
      try envelope { $0[118] = 65 }
    }
  }

  @Test func dependenciesOutOfOrderOrTwiceAreRefused() {
    let entry = Sample.other.bytes + [0, 0, 0, 0, 0, 0, 0, 1] + Sample.repeated(0x72, 32)
    for first in [Sample.other, Sample.id(DeviceID.self, 0xff)] {
      let leading = first.bytes + [0, 0, 0, 0, 0, 0, 0, 1] + Sample.repeated(0x72, 32)
      let bytes = Array(Sample.envelope[..<118]) + [2] + leading + entry + Sample.envelope[175...]
      #expect(throws: WireError.malformed(field: "dependencies")) { try Envelope(bytes: bytes) }
    }
  }

  @Test func aLengthBeyondTheBytesIsRefused() {
    #expect(throws: WireError.truncated) {
      try envelope { $0.replaceSubrange(199..<203, with: [0xff, 0xff, 0xff, 0xff]) }
    }
    #expect(throws: WireError.trailingBytes(count: 5)) {
      try envelope { $0.replaceSubrange(199..<203, with: [0, 0, 0, 0]) }
    }
  }

  @Test func anEnvelopeAtTheLimitReadsAndOneByteMoreDoesNot() throws {
    let head = Sample.header.encoded(ciphertextLength: 0).count
    let length = Limits.commitBytes - head - Envelope.signatureBytes
    let bytes =
      Sample.header.encoded(ciphertextLength: length)
      + Sample.repeated(0, length + Envelope.signatureBytes)
    #expect(try Envelope(bytes: bytes).ciphertext.count == length)
    #expect(throws: WireError.overLimit(limit: "commit bytes", value: 262_145)) {
      try Envelope(bytes: bytes + [0])
    }
  }

  private func envelope(changing change: (inout [UInt8]) -> Void) throws -> Envelope {
    var bytes = Sample.envelope
    change(&bytes)
    return try Envelope(bytes: bytes)
  }
}
