import Testing

@testable import Wire

@Suite struct FrontierTests {
  private static let text =
    #"[{"device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","#
    + #""hash":"cXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXE","sequence":41},"#
    + #"{"device":"d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2","#
    + #""hash":"cnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI","sequence":7}]"#

  @Test func itIsAListInTheOrderOfTheDevices() throws {
    try expect(Sample.frontier, is: Self.text)
    try expect(Frontier(), is: "[]")
  }

  @Test func anyOrderReads() throws {
    let entries = Self.text.dropFirst().dropLast().split(separator: "},")
    let turned = "[\(entries[1]),\(entries[0])}]"
    #expect(try decoded(Frontier.self, turned) == Sample.frontier)
  }

  @Test func aDeviceTwiceIsRefused() {
    let entry = Self.text.dropFirst().dropLast()
    #expect(throws: DecodingError.self) { try decoded(Frontier.self, "[\(entry),\(entry)]") }
  }

  @Test func sixtyFourDevicesReadAndSixtyFiveDoNot() throws {
    func frontier(_ count: Int) -> Frontier {
      var frontier = Frontier()
      for number in 0..<count {
        frontier[Sample.id(DeviceID.self, UInt8(number))] = Head(sequence: 1, hash: .zero)
      }
      return frontier
    }
    #expect(try decoded(Frontier.self, try json(frontier(64))) == frontier(64))
    #expect(throws: DecodingError.self) { try decoded(Frontier.self, try json(frontier(65))) }
  }

  @Test(arguments: [
    "{}", "null", "[1]", #"[{"device":"d1","sequence":1,"hash":""}]"#,
    text.replacing("41", "-1"), text.replacing("41", "18446744073709551616"),
    text.replacing("41", "1.5"), text.replacing(#""hash":"cXFx"#, #""hash":"cXFxcXFx"#),
    text.replacing(#""hash":"cXFx"#, #""hash":"===="#),
    text.replacing("d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1", "d1d1"),
  ])
  func whatIsNoFrontierIsRefused(text: String) {
    #expect(throws: DecodingError.self) { try decoded(Frontier.self, text) }
  }

  @Test func theLargestSequenceSurvives() throws {
    let frontier = Frontier([Sample.device: Head(sequence: .max, hash: .zero)])
    #expect(try decoded(Frontier.self, try json(frontier)) == frontier)
  }

  @Test func theDigestInputIsDevicesAndSequencesInOrder() {
    let input =
      String(repeating: "d1", count: 16) + "0000000000000029" + String(repeating: "d2", count: 16)
      + "0000000000000007"
    #expect(Hex.encode(Sample.frontier.digestInput) == input)
    #expect(Frontier().digestInput == [])
  }

  @Test func theDigestInputLeavesOutDevicesWithoutCommits() {
    #expect(
      Frontier.digestInput([Sample.device: 41, Sample.other: 0])
        == Frontier.digestInput([Sample.device: 41]))
  }

  @Test func reachingComparesEveryDevice() {
    let behind = Frontier([Sample.device: Head(sequence: 40, hash: .zero)])
    let elsewhere = Frontier([Sample.id(DeviceID.self, 3): Head(sequence: 1, hash: .zero)])
    #expect(Sample.frontier.reaches(Sample.frontier))
    #expect(Sample.frontier.reaches(behind))
    #expect(Sample.frontier.reaches(Frontier()))
    #expect(!behind.reaches(Sample.frontier))
    #expect(!Sample.frontier.reaches(elsewhere))
    #expect(!Frontier().reaches(behind))
  }

  @Test func whatIsNotHeldHasSequenceZero() {
    #expect(Sample.frontier.sequence(of: Sample.device) == 41)
    #expect(Sample.frontier.sequence(of: Sample.id(DeviceID.self, 3)) == 0)
  }
}

extension String {
  /// The text with every `old` exchanged for `new`.
  fileprivate func replacing(_ old: String, _ new: String) -> String {
    var result = ""
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(old) {
        result += new
        rest = rest.dropFirst(old.count)
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result
  }
}
