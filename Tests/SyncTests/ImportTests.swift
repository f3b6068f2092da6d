import Foundation
import Testing
import Wire

@testable import Sync

@Suite struct ImportTests {
  private typealias Attribute = Edit.NewAttribute

  /// The edits of a file of these items.
  private func edits(_ items: String, around: String = #""folders":[]"#) throws -> [Edit] {
    try read(items, around: around).edits
  }

  private func read(_ items: String, around: String = #""folders":[]"#) throws -> Imported {
    try BitwardenImport.read(Array(#"{"encrypted":false,\#(around),"items":[\#(items)]}"#.utf8))
  }

  // MARK: What becomes what

  @Test func everyItemOfAWholeVaultBecomesAContext() throws {
    let imported = try BitwardenImport.read(BitwardenFixture.bytes())
    var expected = Imported.Counts()
    expected.logins = 207
    expected.notes = 37
    expected.cards = 25
    expected.identities = 20
    expected.keys = 10
    expected.unknown = 1
    expected.attributes = imported.counts.attributes
    expected.earlierValues = imported.counts.earlierValues
    #expect(imported.counts == expected)
    #expect(imported.edits.count == 300)
    #expect(imported.counts.contexts == 300)
    #expect(imported.counts.attributes > 1500)
    #expect(imported.counts.earlierValues > 100)
  }

  @Test func aLoginKeepsEveryPart() throws {
    let edits = try edits(
      #"""
      {"type":1,"name":"github.example","notes":"2FA since May","favorite":true,"folderId":"f",
       "login":{"username":"ann","password":"old & new","totp":"JBSWY3DPEHPK3PXP","uris":[
         {"uri":"https://github.example","match":null},
         {"uri":"https://id.github.example","match":3},{"uri":"","match":null},
         {"uri":null,"match":1},{"uri":"androidapp://example.git","match":77}
       ],"fido2Credentials":[{"rpId":"github.example","counter":0,"userHandle":null}]},
       "passwordHistory":[{"lastUsedDate":"2024-03-01T10:00:00.000Z","password":"second"},
                          {"lastUsedDate":"2023-03-01T10:00:00.000Z","password":"first"}]}
      """#, around: #""folders":[{"id":"f","name":"Work"}]"#)
    #expect(
      edits == [
        .createContext(
          name: "github.example", kind: .account,
          attributes: [
            Attribute(label: "username", kind: .username, text: "ann"),
            Attribute(
              label: "password", kind: .password, text: "old & new",
              history: [
                .init(text: "first", at: 1_677_664_800_000),
                .init(text: "second", at: 1_709_287_200_000),
              ]),
            Attribute(label: "one-time code", kind: .totp, text: "JBSWY3DPEHPK3PXP"),
            Attribute(label: "url", kind: .url, text: "https://github.example"),
            Attribute(label: "url 2", kind: .url, text: "https://id.github.example"),
            Attribute(label: "url 2 match", kind: .text, text: "exact"),
            Attribute(label: "url 3", kind: .url, text: "androidapp://example.git"),
            Attribute(label: "url 3 match", kind: .text, text: "77"),
            Attribute(
              label: "passkey", kind: .text, isConcealed: true,
              text: #"{"counter":0,"rpId":"github.example","userHandle":null}"#),
            Attribute(label: "notes", kind: .note, text: "2FA since May"),
            Attribute(label: "folder", kind: .text, text: "Work"),
            Attribute(label: "favourite", kind: .boolean, text: "true"),
          ])
      ])
  }

  @Test func cardsNotesAndKeysKeepEveryField() throws {
    let edits = try edits(
      #"""
      {"type":3,"name":"card","card":{"cardholderName":"Ann","brand":"Visa",
       "number":"4000000000000000","expMonth":4,"expYear":"2031","code":"007"}},
      {"type":2,"name":"note","notes":"line\nline","secureNote":{"type":0}},
      {"type":5,"name":"key","sshKey":{"privateKey":"A\nB\n","publicKey":"ssh-ed25519 A",
       "keyFingerprint":"SHA256:a"}}
      """#)
    #expect(
      edits == [
        .createContext(
          name: "card", kind: .card,
          attributes: [
            Attribute(label: "cardholder", kind: .text, text: "Ann"),
            Attribute(label: "brand", kind: .text, text: "Visa"),
            Attribute(label: "number", kind: .card, text: "4000000000000000"),
            Attribute(label: "expiry month", kind: .text, text: "4"),
            Attribute(label: "expiry year", kind: .text, text: "2031"),
            Attribute(label: "security code", kind: .text, isConcealed: true, text: "007"),
          ]),
        .createContext(
          name: "note", kind: .note,
          attributes: [Attribute(label: "notes", kind: .note, text: "line\nline")]),
        .createContext(
          name: "key", kind: .key,
          attributes: [
            Attribute(label: "private key", kind: .note, isConcealed: true, text: "A\nB\n"),
            Attribute(label: "public key", kind: .text, text: "ssh-ed25519 A"),
            Attribute(label: "fingerprint", kind: .text, text: "SHA256:a"),
          ]),
      ])
  }

  @Test func anIdentityKeepsAllEighteenFields() throws {
    let keys = [
      "title", "firstName", "middleName", "lastName", "username", "company", "email", "phone",
      "address1", "address2", "address3", "city", "state", "postalCode", "country", "ssn",
      "passportNumber", "licenseNumber",
    ]
    let body = keys.map { #""\#($0)":"the \#($0)""# }.joined(separator: ",")
    let edits = try edits(#"{"type":4,"name":"me","identity":{\#(body)}}"#)
    guard case .createContext("me", .personal, let attributes) = try #require(edits.first) else {
      Issue.record("not a personal context")
      return
    }
    #expect(attributes.map(\.text) == keys.map { "the \($0)" })
    #expect(
      attributes.map(\.label) == [
        "title", "first name", "middle name", "last name", "username", "company", "email", "phone",
        "address 1", "address 2", "address 3", "city", "state", "postal code", "country",
        "social security number", "passport number", "licence number",
      ])
    #expect(
      attributes.filter(\.isConcealed).map(\.label)
        == ["social security number", "passport number", "licence number"])
  }

  @Test func customFieldsKeepNameTypeAndOrder() throws {
    let edits = try edits(
      #"""
      {"type":1,"name":"shop","fields":[
        {"name":"number","value":"1","type":0},{"name":"PIN","value":"2","type":1},
        {"name":"mail","value":"true","type":2},{"name":"off","value":null,"type":2},
        {"name":"as","value":null,"type":3,"linkedId":100},
        {"name":"later","value":null,"type":3,"linkedId":999},
        {"name":"number","value":"","type":0},{"name":null,"value":"x","type":0},
        {"name":"untyped","value":5}]}
      """#)
    #expect(
      edits == [
        .createContext(
          name: "shop", kind: .account,
          attributes: [
            Attribute(label: "number", kind: .text, text: "1"),
            Attribute(label: "PIN", kind: .text, isConcealed: true, text: "2"),
            Attribute(label: "mail", kind: .boolean, text: "true"),
            Attribute(label: "off", kind: .boolean, text: "false"),
            Attribute(label: "as", kind: .linked, text: "username"),
            Attribute(label: "later", kind: .linked, text: "999"),
            Attribute(label: "number", kind: .text, text: ""),
            Attribute(label: "field", kind: .text, text: "x"),
            Attribute(label: "untyped", kind: .text, text: "5"),
          ])
      ])
  }

  @Test func itemsThatShareANameStayApart() throws {
    let edits = try edits(#"{"type":2,"name":"twin"},{"type":2,"name":"twin"}"#)
    #expect(
      edits == [
        .createContext(name: "twin", kind: .note, attributes: []),
        .createContext(name: "twin", kind: .note, attributes: []),
      ])
  }

  @Test func earlierPasswordsOutliveTheirPassword() throws {
    let history = #"[{"lastUsedDate":"2020-01-02T03:04:05Z","password":"gone"}]"#
    let edits = try edits(
      #"""
      {"type":1,"name":"a","login":{"password":null},"passwordHistory":\#(history)},
      {"type":2,"name":"b","passwordHistory":\#(history)}
      """#)
    #expect(
      edits == [
        .createContext(
          name: "a", kind: .account,
          attributes: [
            Attribute(
              label: "password", kind: .password, text: "",
              history: [.init(text: "gone", at: 1_577_934_245_000)])
          ]),
        .createContext(
          name: "b", kind: .note,
          attributes: [
            Attribute(
              label: "earlier values", kind: .text, isConcealed: true,
              text: "2020-01-02T03:04:05.000Z gone")
          ]),
      ])
  }

  @Test func anUnknownTypeIsKeptWholeAsANoteWithAWarning() throws {
    let imported = try read(
      #"{"type":9,"name":"later","notes":"n","bank":{"iban":"X","limits":[1,2.5,true,null]}}"#)
    #expect(
      imported.edits == [
        .createContext(
          name: "later", kind: .note,
          attributes: [
            Attribute(label: "notes", kind: .note, text: "n"),
            Attribute(
              label: "content", kind: .text, isConcealed: true,
              text: #"{"bank":{"iban":"X","limits":[1,2.5,true,null]},"type":9}"#),
          ])
      ])
    #expect(imported.counts.unknown == 1)
    #expect(
      imported.warnings == [
        "Item 1: its type 9 is not known here; it is kept as a note with all its content."
      ])
  }

  @Test func whatCannotBeKeptIsSaid() throws {
    let imported = try read(
      #"""
      {"type":2,"name":" ","reprompt":1},
      {"type":2,"name":"b","deletedDate":"2024-01-01T00:00:00Z","folderId":"used"},
      {"type":1,"name":"c","login":{"password":"p"},
       "passwordHistory":[{"lastUsedDate":"yesterday","password":"q"}],
       "fields":[{"name":"f","value":"v","type":8}]}
      """#,
      around: #""folders":[{"id":"used","name":"Used"},{"id":"empty","name":"Empty"}]"#)
    #expect(
      imported.warnings == [
        "Item 1: it has no name, and is called \"unnamed 1\".",
        "Item 2: it was in the bin, and is imported like the others.",
        "Item 3: the date of an earlier password does not read; 1970 stands for it.",
        "Item 3: a custom field of a type not known here is kept concealed.",
        "1 items asked for the master password again; that mark is not kept.",
        "1 folders without items are not kept.",
      ])
  }

  @Test func collectionsOfAnOrganisationAreKept() throws {
    let edits = try edits(
      #"{"type":2,"name":"n","collectionIds":["a","b","?"]}"#,
      around: #""collections":[{"id":"a","name":"Team"},{"id":"b","name":"旅行"}]"#)
    #expect(
      edits == [
        .createContext(
          name: "n", kind: .note,
          attributes: [
            Attribute(label: "collection", kind: .text, text: "Team"),
            Attribute(label: "collection", kind: .text, text: "旅行"),
          ])
      ])
  }

  // MARK: Refusals

  @Test(arguments: [
    (#"{"encrypted":true,"passwordProtected":true,"data":"2.x"}"#, true),
    (#"{"encrypted":true,"encKeyValidation_DO_NOT_EDIT":"2.x","items":["2.x"]}"#, false),
  ])
  func anEncryptedExportIsRefused(file: String, passwordProtected: Bool) {
    #expect(throws: ImportError.encrypted(passwordProtected: passwordProtected)) {
      try BitwardenImport.read(Array(file.utf8))
    }
    #expect(
      ImportError.encrypted(passwordProtected: passwordProtected).description
        .contains("Nothing was imported. Export again as \".json\" without encryption."))
  }

  @Test(arguments: [
    ("", ImportError.notJSON), ("folder,favorite\n", .notJSON), (#"{"items":["#, .notJSON),
    ("[]", .notBitwarden), ("{}", .notBitwarden), (#"{"encrypted":false}"#, .notBitwarden),
    (#"{"items":{}}"#, .malformed(item: nil, field: "items")),
  ])
  func whatIsNoExportIsRefused(file: String, error: ImportError) {
    #expect(throws: error) { try BitwardenImport.read(Array(file.utf8)) }
  }

  @Test func everyTruncationIsRefused() throws {
    let whole = Array(
      #"{"items":[{"type":1,"name":"a","login":{"password":"p"},"fields":[]}]}"#.utf8)
    #expect(try BitwardenImport.read(whole).edits.count == 1)
    for count in whole.indices {
      #expect(throws: ImportError.self) { try BitwardenImport.read(Array(whole.prefix(count))) }
    }
  }

  @Test func aMalformedItemIsNamedByPositionAndNeverByContent() {
    let error = #expect(throws: ImportError.self) {
      try read(
        #"{"type":2,"name":"a"},{"type":1,"name":"b","login":{"uris":[{"uri":["s3cret"]}]}}"#)
    }
    #expect(error == .malformed(item: 2, field: "login.uris.1.uri"))
    #expect(
      error?.description
        == "Item 2 of the file: \"login.uris.1.uri\" does not read. Nothing was imported.")
  }

  @Test func whatIsOverALimitIsRefusedWithItsPosition() {
    let text = String(repeating: "é", count: Limits.valueBytes / 2)
    let name = String(repeating: "e\u{301}", count: Limits.nameCharacters)
    let field = #"{"name":"f","value":"v","type":0}"#
    let fields = Array(repeating: field, count: 1001).joined(separator: ",")
    #expect(throws: Never.self) {
      try read(
        #"{"type":2,"name":"\#(name)","notes":"\#(text)","fields":[{"name":"\#(name)"}]}"#)
    }
    let refused: [(String, ImportError)] = [
      (
        #"{"type":2,"notes":"\#(text)x"}"#,
        .overLimit(item: 2, limit: "bytes of a value", allowed: 65_536)
      ),
      (
        #"{"type":1,"login":{},"passwordHistory":[{"password":"\#(text)x"}]}"#,
        .overLimit(item: 2, limit: "bytes of a value", allowed: 65_536)
      ),
      (
        #"{"type":2,"name":"\#(name)x"}"#,
        .overLimit(item: 2, limit: "characters of a name", allowed: 256)
      ),
      (
        #"{"type":2,"name":"n","fields":[{"name":"\#(name)x"}]}"#,
        .overLimit(item: 2, limit: "characters of a custom field's name", allowed: 256)
      ),
      (
        #"{"type":2,"name":"n","fields":[\#(fields)]}"#,
        .overLimit(item: 2, limit: "fields of an item", allowed: 1000)
      ),
    ]
    for (item, error) in refused {
      #expect(throws: error) { try read(#"{"type":2,"name":"first"},"# + item) }
    }
  }

  @Test func moreItemsThanAnAccountHoldsAreRefused() {
    let items = Array(repeating: #"{"type":2}"#, count: Limits.contexts + 1)
    #expect(throws: ImportError.overLimit(item: nil, limit: "items", allowed: 50_000)) {
      try read(items.joined(separator: ","))
    }
  }

  // MARK: Times

  @Test(
    arguments: [
      ("1970-01-01T00:00:00.000Z", 0), ("1969-12-31T23:59:59.999Z", -1),
      ("2000-02-29T12:00:00.000Z", 951_825_600_000),
      ("2100-03-01T00:00:00.000Z", 4_107_542_400_000),
      ("0000-01-01T00:00:00.000Z", -62_167_219_200_000),
      ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ] as [(String, Int64)])
  func timesReadAndWriteTheSame(text: String, milliseconds: Int64) {
    #expect(Timestamp.milliseconds(text) == milliseconds)
    #expect(Timestamp.text(milliseconds) == text)
  }

  @Test func timesOfOtherProgramsRead() {
    #expect(Timestamp.milliseconds("2018-07-27T12:02:36.4833333Z") == 1_532_692_956_483)
    #expect(Timestamp.milliseconds("2018-07-27T14:02:36.4+02:00") == 1_532_692_956_400)
    #expect(Timestamp.milliseconds("2018-07-27 06:32:36-0530") == 1_532_692_956_000)
    #expect(Timestamp.milliseconds("2018-07-27T12:02:36") == 1_532_692_956_000)
  }

  @Test(arguments: [
    "", "yesterday", "2018-07-27", "2018-13-01T00:00:00Z", "2018-02-29T00:00:00Z",
    "2018-07-27T24:00:00Z", "2018-07-27T12:02:36.Z", "2018-07-27T12:02:36ZZ",
    "２018-07-27T00:00:00Z",
  ])
  func whatIsNoTimeDoesNotRead(text: String) {
    #expect(Timestamp.milliseconds(text) == nil)
  }
}

/// A vault of 300 made-up items of every type, written by `make-bitwarden.py`.
enum BitwardenFixture {
  static func bytes() throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    return Array(try Data(contentsOf: folder.appending(path: "Fixtures/bitwarden-300.json")))
  }
}
