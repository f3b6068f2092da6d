import Testing

@testable import Wire

/// The JSON of every message, compared whole: what two programs of different versions agree on.
@Suite struct MessageTests {
  private let zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
  private let head =
    #"[{"device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","#
    + #""hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","sequence":1}]"#
  private let frontier = Frontier([Sample.device: Head(sequence: 1, hash: .zero)])
  private let hashing = PassphraseHashing(memoryKibibytes: 65536, passes: 3, salt: Blob([1, 2]))
  private let hashingText = #"{"memoryKibibytes":65536,"passes":3,"salt":"AQI"}"#

  @Test func serverInfo() throws {
    try expect(
      ServerInfo(
        instance: Sample.instance, generation: "g1", push: ":7481/push", registration: "invite",
        serverTime: 1_700_000_000_000),
      is: #"{"generation":"g1","instance":"15151515151515151515151515151515","#
        + #""maximumProtocol":1,"minimumProtocol":1,"push":":7481/push","#
        + #""registration":"invite","serverTime":1700000000000}"#)
    let without =
      #"{"generation":"g1","instance":"15151515151515151515151515151515","#
      + #""maximumProtocol":1,"minimumProtocol":1,"push":null,"registration":"open","#
      + #""serverTime":0}"#
    #expect(try decoded(ServerInfo.self, without).push == nil)
  }

  @Test func accountRequest() throws {
    try expect(
      AccountRequest(
        account: Sample.account, handle: .zero, invite: "code", genesis: Blob([1]),
        loginKey: Blob([2]), slot: Blob([3]), hashing: hashing),
      is: #"{"account":"acacacacacacacacacacacacacacacac","genesis":"AQ","handle":"\#(zero)","#
        + #""hashing":\#(hashingText),"invite":"code","loginKey":"Ag","slot":"Aw"}"#)
  }

  @Test func challenge() throws {
    try expect(
      ChallengeRequest(device: Sample.device), is: #"{"device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1"}"#
    )
    try expect(ChallengeRequest(handle: .zero), is: #"{"handle":"\#(zero)"}"#)
    try expect(
      ChallengeResponse(challenge: Blob([1]), instance: Sample.instance, hashing: hashing),
      is: #"{"challenge":"AQ","hashing":\#(hashingText),"#
        + #""instance":"15151515151515151515151515151515"}"#)
    try expect(
      ChallengeResponse(challenge: Blob([1]), instance: Sample.instance, hashing: nil),
      is: #"{"challenge":"AQ","instance":"15151515151515151515151515151515"}"#)
  }

  @Test func token() throws {
    try expect(
      TokenRequest(
        device: Sample.device, challenge: Blob([1]), audiences: [.attributes, .push],
        clientTime: 1_700_000_000_000, signature: Blob([2])),
      is: #"{"audiences":["attr","push"],"challenge":"AQ","clientTime":1700000000000,"#
        + #""device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","signature":"Ag"}"#)
    try expect(
      TokenResponse(
        account: Sample.account,
        grants: [
          .init(audience: .push, token: "a.b.c", expiresAt: 1_700_000_600_000, expiresIn: 600)
        ]),
      is: #"{"account":"acacacacacacacacacacacacacacacac","grants":[{"audience":"push","#
        + #""expiresAt":1700000600000,"expiresIn":600,"token":"a.b.c"}]}"#)
    #expect(throws: DecodingError.self) { try decoded([Audience].self, #"["admin"]"#) }
  }

  @Test func slot() throws {
    try expect(
      SlotRequest(handle: .zero, challenge: Blob([1]), signature: Blob([2])),
      is: #"{"challenge":"AQ","handle":"\#(zero)","signature":"Ag"}"#)
    try expect(
      SlotResponse(account: Sample.account, slot: Blob([3]), token: "a.b.c"),
      is: #"{"account":"acacacacacacacacacacacacacacacac","slot":"Aw","token":"a.b.c"}"#)
  }

  @Test func mailbox() throws {
    try expect(MailboxRequest(box: .open), is: #"{"box":"open"}"#)
    try expect(
      MailboxRequest(box: .offer, letter: Blob([1])), is: #"{"box":"offer","letter":"AQ"}"#)
    try expect(
      MailboxRequest(box: .answer, letter: Blob([])), is: #"{"box":"answer","letter":""}"#)
    try expect(MailboxResponse(letter: Blob([1])), is: #"{"letter":"AQ"}"#)
    #expect(throws: DecodingError.self) { try decoded(MailboxRequest.self, #"{"box":"lid"}"#) }
  }

  @Test func syncRequest() throws {
    try expect(
      SyncRequest(
        generation: "g1", frontier: frontier, memberHead: .zero, frames: [Blob([1]), Blob([2])]),
      is: #"{"frames":["AQ","Ag"],"frontier":\#(head),"generation":"g1","#
        + #""maxBytes":4194304,"memberHead":"\#(zero)"}"#)
    try expect(
      SyncRequest(generation: nil, frontier: Frontier(), memberHead: nil, frames: [], maxBytes: 1),
      is: #"{"frames":[],"frontier":[],"maxBytes":1}"#)
    #expect(
      try decoded(
        SyncRequest.self,
        #"{"frames":[],"frontier":[],"generation":null,"maxBytes":1,"memberHead":null}"#)
        == SyncRequest(
          generation: nil, frontier: Frontier(), memberHead: nil, frames: [], maxBytes: 1))
  }

  @Test func syncResponse() throws {
    try expect(
      SyncResponse(
        generation: "g1",
        outcomes: [
          .init(status: .accepted), .init(status: .known),
          .init(status: .refused, problem: Problem(.quota)),
        ],
        membership: [Blob([1])], frames: [Blob([2])], serverFrontier: frontier, memberHead: .zero,
        more: true),
      is: #"{"frames":["Ag"],"generation":"g1","memberHead":"\#(zero)","membership":["AQ"],"#
        + #""more":true,"outcomes":[{"status":"accepted"},{"status":"known"},{"problem":"#
        + #"{"code":"quota","retryable":false,"status":507,"#
        + #""title":"The account's space is used up"},"status":"refused"}],"#
        + #""serverFrontier":\#(head)}"#)
  }

  @Test func membership() throws {
    try expect(
      MembershipRequest(expectedHead: .zero, record: Blob([1])),
      is: #"{"expectedHead":"\#(zero)","record":"AQ"}"#)
    try expect(
      MembershipResponse(memberHead: .zero, records: [Blob([1])], serverFrontier: frontier),
      is: #"{"memberHead":"\#(zero)","records":["AQ"],"serverFrontier":\#(head)}"#)
  }

  @Test func signal() throws {
    try expect(
      [
        Signal(account: Sample.account, device: Sample.device, sequence: 42),
        Signal(account: Sample.account, device: Sample.device, sequence: .max, trace: "t1"),
      ],
      is: #"[{"account":"acacacacacacacacacacacacacacacac","#
        + #""device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","sequence":42},"#
        + #"{"account":"acacacacacacacacacacacacacacacac","#
        + #""device":"d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1","#
        + #""sequence":18446744073709551615,"trace":"t1"}]"#)
  }

  @Test func keysOfALaterProgramAreIgnored() throws {
    #expect(
      try decoded(MailboxRequest.self, #"{"box":"open","later":{"a":[1]}}"#)
        == MailboxRequest(box: .open))
  }

  @Test func whatIsSignedToProveADeviceHasTheseBytes() {
    let bytes = AuthenticationProof.signedBytes(
      instance: Sample.instance, serverKeyHash: Sample.digest(0x5e), action: .token,
      audiences: [.attributes, .push], challenge: Sample.repeated(0xcc, 32))
    let golden = [
      "6374782f76312f61757468",  // "ctx/v1/auth"
      String(repeating: "15", count: 16), String(repeating: "5e", count: 32),
      "05", "746f6b656e",  // "token"
      "09", "617474722c70757368",  // "attr,push"
      String(repeating: "cc", count: 32),
    ]
    #expect(Hex.encode(bytes) == golden.joined())
    let slot = AuthenticationProof.signedBytes(
      instance: Sample.instance, serverKeyHash: .zero, action: .slot, audiences: [], challenge: [])
    #expect(Hex.encode(slot[59...]) == "04" + "736c6f74" + "00")
  }

  @Test func thePathsAreThese() {
    #expect(
      [
        Route.info, Route.accounts, Route.challenge, Route.token, Route.slot, Route.sync,
        Route.membership, Route.enrol, Route.keys, Route.health, Route.signals, Route.push,
        Route.snapshots,
      ] == [
        "/v1/info", "/v1/accounts", "/v1/auth/challenge", "/v1/auth/token", "/v1/slot", "/v1/sync",
        "/v1/membership", "/v1/enrol", "/.well-known/jwks.json", "/healthz", "/v1/signals", "/push",
        "/v1/snapshots",
      ])
  }
}
