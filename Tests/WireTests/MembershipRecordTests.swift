import Testing

@testable import Wire

@Suite struct MembershipRecordTests {
  /// ``Sample/unsignedAddition``, field by field.
  private static let goldenAddition = [
    "4d454d31",  // "MEM1"
    "01",  // suite
    "02",  // kind: add device
    "acacacacacacacacacacacacacacacac",  // account
    "0000000000000001",  // number
    "3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e",  // previous
    "01",  // signer kind: a device
    "d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1",  // signer
    "02",  // two dependencies
    "d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1",
    "0000000000000029",
    "7171717171717171717171717171717171717171717171717171717171717171",
    "d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2",
    "0000000000000007",
    "7272727272727272727272727272727272727272727272727272727272727272",
    "00000002",  // body length
    "7b7d",  // "{}"
  ].joined()

  @Test func aRecordHasTheseBytes() {
    #expect(Hex.encode(Sample.unsignedAddition) == Self.goldenAddition)
  }

  @Test func aGenesisRecordHasTheseBytes() {
    let bytes = MembershipRecord.unsignedBytes(
      kind: .genesis, account: Sample.account, number: 0, previous: .zero, signer: .account,
      dependencies: Frontier(), body: [])
    let golden =
      "4d454d310101" + "acacacacacacacacacacacacacacacac" + "0000000000000000"
      + String(repeating: "00", count: 32) + "02" + String(repeating: "00", count: 16) + "00"
      + "00000000"
    #expect(Hex.encode(bytes) == golden)
  }

  @Test func aRecordReadsBackAsItsParts() throws {
    let record = try MembershipRecord(bytes: Sample.addition)
    #expect(record.kind == .addDevice)
    #expect(record.account == Sample.account)
    #expect(record.number == 1)
    #expect(record.previous == Sample.digest(0x3e))
    #expect(record.signer == .device(Sample.device))
    #expect(record.dependencies == Sample.frontier)
    #expect(record.body == Array("{}".utf8))
    #expect(Array(record.signature) == Sample.repeated(0x51, 64))
    #expect(
      Hex.encode(record.signedBytes) == "6374782f76312f6d656d62657273686970" + Self.goldenAddition)
  }

  @Test func bodiesHaveTheseForms() throws {
    try expect(
      MembershipRecord.Genesis(accountKey: Blob([9, 9]), device: Sample.description),
      is: #"{"accountKey":"CQk","device":"# + Self.description + "}")
    try expect(
      MembershipRecord.Addition(device: Sample.description),
      is: #"{"device":"# + Self.description + "}")
    try expect(
      MembershipRecord.Replacement(replaced: Sample.other, device: Sample.description),
      is: #"{"device":"# + Self.description
        + #","replaced":"d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2"}"#)
  }

  private static let description =
    #"{"authenticationKey":"BQY","device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","#
    + #""sealedName":"Bwg","sealingKey":"AwQ","signingKey":"AQI"}"#

  @Test func bodiesAreReadFromTheirRecord() throws {
    let genesis = MembershipRecord.Genesis(accountKey: Blob([9]), device: Sample.description)
    #expect(try record(body: try json(genesis)).genesis() == genesis)
    let addition = MembershipRecord.Addition(device: Sample.description)
    #expect(try record(body: try json(addition)).addition() == addition)
    let replacement = MembershipRecord.Replacement(
      replaced: Sample.other, device: Sample.description)
    #expect(try record(body: try json(replacement)).replacement() == replacement)
  }

  @Test(arguments: ["", "{}", "[]", #"{"device":{}}"#, "\u{0}", #"{"device":"#])
  func aBodyThatIsNotItsJSONIsRefused(body: String) throws {
    let record = try record(body: body)
    #expect(throws: WireError.malformed(field: "body")) { try record.genesis() }
    #expect(throws: WireError.malformed(field: "body")) { try record.addition() }
    #expect(throws: WireError.malformed(field: "body")) { try record.replacement() }
  }

  private func record(body: String) throws -> MembershipRecord {
    try MembershipRecord(
      bytes: MembershipRecord.unsignedBytes(
        kind: .addDevice, account: Sample.account, number: 1, previous: .zero, signer: .account,
        dependencies: Frontier(), body: Array(body.utf8)) + Sample.repeated(0, 64))
  }

  // MARK: Refusals

  @Test func everyTruncationIsRefused() {
    for count in Sample.addition.indices {
      #expect(throws: WireError.truncated) {
        try MembershipRecord(bytes: Array(Sample.addition[..<count]))
      }
    }
  }

  @Test func everyOtherLayoutIsRefused() {
    #expect(throws: WireError.trailingBytes(count: 1)) {
      try MembershipRecord(bytes: Sample.addition + [0])
    }
    #expect(throws: WireError.wrongMagic) { try MembershipRecord(bytes: Sample.envelope) }
    #expect(throws: WireError.unknownSuite(9)) { try changed { $0[4] = 9 } }
    // 3 is reserved.
    for kind: UInt8 in [0, 3, 11, 255] {
      #expect(throws: WireError.unknownType(kind)) { try changed { $0[5] = kind } }
    }
    #expect(throws: WireError.overLimit(limit: "devices", value: 255)) {
      try changed { $0[79] = 255 }
    }
    #expect(throws: WireError.truncated) {
      try changed { $0.replaceSubrange(192..<196, with: [0xff, 0xff, 0xff, 0xff]) }
    }
  }

  @Test func aSignerIsADeviceOrTheAccountWithoutADevice() throws {
    #expect(throws: WireError.malformed(field: "signer")) { try changed { $0[62] = 0 } }
    #expect(throws: WireError.malformed(field: "signer")) { try changed { $0[62] = 3 } }
    #expect(throws: WireError.malformed(field: "signer")) { try changed { $0[62] = 2 } }
    let account = try changed {
      $0[62] = 2
      $0.replaceSubrange(63..<79, with: Sample.repeated(0, 16))
    }
    #expect(account.signer == .account)
  }

  @Test func aRecordOverItsLimitIsRefusedUnread() {
    #expect(throws: WireError.overLimit(limit: "membership record bytes", value: 49_153)) {
      try MembershipRecord(bytes: Sample.repeated(0, 49_153))
    }
  }

  private func changed(_ change: (inout [UInt8]) -> Void) throws -> MembershipRecord {
    var bytes = Sample.addition
    change(&bytes)
    return try MembershipRecord(bytes: bytes)
  }
}
