import Testing
import Wire

@testable import Sync

/// KeePass, CSV and pass: what becomes what, and what is refused whole.
@Suite struct ForeignImportTests {
  private typealias Attribute = Edit.NewAttribute

  private func read(_ format: ImportFormat, _ text: String) throws -> Imported {
    try format.read(Array(text.utf8))
  }

  /// The one context of a file.
  private func context(
    _ format: ImportFormat, _ text: String
  ) throws -> (name: String, kind: ContextRecord.Kind, attributes: [Edit.NewAttribute]) {
    let imported = try read(format, text)
    guard case .createContext(let name, let kind, let attributes)? = imported.edits.first,
      imported.edits.count == 1
    else {
      Issue.record("\(imported.edits.count) edits")
      return ("", .note, [])
    }
    return (name, kind, attributes)
  }

  // MARK: KeePass

  private func keePass(_ entry: String, meta: String = "") -> String {
    """
    <?xml version="1.0" encoding="utf-8" standalone="yes"?>
    <KeePassFile><Meta>\(meta)</Meta><Root><Group><UUID>cm9vdA==</UUID><Name>Database</Name>
    <Group><UUID>YmFua3M=</UUID><Name>Money</Name><Group><Name>Banks</Name>\(entry)</Group>
    </Group></Group></Root></KeePassFile>
    """
  }

  private func string(_ key: String, _ value: String, isProtected: Bool = false) -> String {
    let mark = isProtected ? " ProtectInMemory=\"True\"" : ""
    return "<String><Key>\(key)</Key><Value\(mark)>\(value)</Value></String>"
  }

  @Test func aKeePassEntryKeepsEveryPart() throws {
    let old = { (password: String, time: String) in
      "<Entry><Times><LastModificationTime>\(time)</LastModificationTime></Times>"
        + string("Password", password, isProtected: true) + "</Entry>"
    }
    let text = keePass(
      "<Entry><Tags>home;money</Tags><Times><Expires>True</Expires>"
        + "<ExpiryTime>2027-01-31T00:00:00Z</ExpiryTime></Times>"
        + string("Title", "bank.example") + string("UserName", "ann")
        + string("Password", "new &amp; good", isProtected: true)
        + string("URL", "https://bank.example") + string("Notes", "line 1&#10;line 2")
        + string("PIN", "4711", isProtected: true) + string("branch", "north")
        + string("otp", "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&amp;digits=8")
        + "<Binary><Key>scan.pdf</Key><Value Ref=\"0\"/></Binary><History>"
        + old("first", "2024-03-01T10:00:00Z") + old("first", "2024-04-01T10:00:00Z")
        + old("second", "2025-03-01T10:00:00Z") + old("new &amp; good", "2026-03-01T10:00:00Z")
        + "</History></Entry>")
    let (name, kind, attributes) = try context(.keepass, text)
    #expect(name == "bank.example")
    #expect(kind == .account)
    #expect(
      attributes == [
        Attribute(label: "username", kind: .username, text: "ann"),
        Attribute(
          label: "password", kind: .password, text: "new & good",
          history: [
            .init(text: "first", at: 1_709_287_200_000),
            .init(text: "second", at: 1_740_823_200_000),
          ]),
        Attribute(
          label: "one-time code", kind: .totp,
          text: "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&digits=8"),
        Attribute(label: "url", kind: .url, text: "https://bank.example"),
        Attribute(label: "PIN", kind: .text, isConcealed: true, text: "4711"),
        Attribute(label: "branch", kind: .text, text: "north"),
        Attribute(label: "notes", kind: .note, text: "line 1\nline 2"),
        Attribute(label: "folder", kind: .text, text: "Money/Banks"),
        Attribute(label: "tags", kind: .tags, text: "home, money"),
        Attribute(label: "expires", kind: .date, text: "2027-01-31"),
      ])
    #expect(
      try read(.keepass, text).warnings == ["1 attachments are not kept: save them as files."])
  }

  @Test(arguments: [
    ([("otp", "key=JBSWY3DPEHPK3PXP")], "JBSWY3DPEHPK3PXP"),
    (
      [("otp", "key=JBSWY3DPEHPK3PXP&amp;step=60&amp;size=8")],
      "otpauth://totp/?secret=JBSWY3DPEHPK3PXP&digits=8&period=60"
    ),
    (
      [("TimeOtp-Secret-Base32", "JBSW Y3DP"), ("TimeOtp-Algorithm", "HMAC-SHA-256")],
      "otpauth://totp/?secret=JBSWY3DP&algorithm=SHA256"
    ),
    ([("TOTP Seed", "JBSWY3DP"), ("TOTP Settings", "30;6")], "JBSWY3DP"),
    (
      [("TOTP Seed", "JBSWY3DP"), ("TOTP Settings", "45;7")],
      "otpauth://totp/?secret=JBSWY3DP&digits=7&period=45"
    ),
  ])
  func everyPlugInsOneTimeCodesAreFound(strings: [(String, String)], expected: String) throws {
    let entry = "<Entry>" + strings.map { string($0.0, $0.1) }.joined() + "</Entry>"
    let (_, _, attributes) = try context(.keepass, keePass(entry))
    #expect(attributes.first == Attribute(label: "one-time code", kind: .totp, text: expected))
  }

  /// KDBX 4 counts seconds from the year 1.
  @Test func timesInBase64AreRead() throws {
    let entry =
      "<Entry>" + string("Password", "new") + "<History><Entry><Times><LastModificationTime>"
      + "oK0g3Q4AAAA=</LastModificationTime></Times>" + string("Password", "old")
      + "</Entry></History></Entry>"
    let (_, _, attributes) = try context(.keepass, keePass(entry))
    #expect(attributes.first?.history == [.init(text: "old", at: 1_703_851_680_000)])
  }

  @Test func theBinIsImportedAndSaidToBe() throws {
    let text = keePass(
      "<Entry>" + string("Title", "old") + "</Entry>",
      meta: "<RecycleBinUUID>YmFua3M=</RecycleBinUUID>")
    #expect(
      try read(.keepass, text).warnings
        == ["Item 1: it was in the bin, and is imported like the others."])
  }

  @Test func whatIsNoKeePassExportIsRefused() {
    let refused: [(String, ImportError)] = [
      ("", .notXML(line: 1)), ("{\"items\":[]}", .notXML(line: 1)),
      ("<a>\n<b></a>", .notXML(line: 2)), ("<a/>", .notKeePass),
      ("<KeePassFile></KeePassFile>", .notKeePass), ("<KeePassFile/><x/>", .notXML(line: 1)),
      ("<!DOCTYPE x [<!ENTITY a \"aaaa\">]><a>&a;</a>", .notXML(line: 1)),
      ("<a>&unknown;</a>", .notXML(line: 1)), ("<a b='1' b='2'/>", .notXML(line: 1)),
      (String(repeating: "<a>", count: 100), .notXML(line: 1)),
    ]
    for (text, error) in refused {
      #expect(throws: error, "\(text)") { try read(.keepass, text) }
    }
    let sealed =
      "<Entry><String><Key>Password</Key><Value Protected=\"True\">x</Value></String></Entry>"
    #expect(throws: ImportError.keePassProtected) { try read(.keepass, keePass(sealed)) }
  }

  @Test func textComesInPieces() throws {
    let element = try XMLReader.read(
      Array(
        ("<a x=\"1 &lt; 2\" y='\"'>b<!-- c --><![CDATA[<d> & e]]>"
          + "<?f g?>&#x1F511;<h/>i\r\n</a>").utf8))
    #expect(element.text == "b<d> & e🔑i\n")
    #expect(element.attributes == ["x": "1 < 2", "y": "\""])
    #expect(element.children.map(\.name) == ["h"])
  }

  // MARK: CSV

  @Test(arguments: [
    // Chrome and Edge, Firefox, Safari, 1Password, LastPass, Bitwarden, KeePassXC.
    (
      "name,url,username,password,note\nbank.example,https://bank.example/in,ann,secret,\"a \"\"b\"\"\nc\"",
      "bank.example", "https://bank.example/in", "a \"b\"\nc"
    ),
    (
      "\"url\",\"username\",\"password\",\"httpRealm\",\"formActionOrigin\",\"guid\",\"timeCreated\","
        + "\"timeLastUsed\",\"timePasswordChanged\"\n\"https://bank.example\",\"ann\",\"secret\",,"
        + "\"https://bank.example\",\"{1}\",\"1\",\"1\",\"1\"",
      "bank.example", "https://bank.example", nil
    ),
    (
      "Title,URL,Username,Password,Notes,OTPAuth\r\nbank.example,https://bank.example,ann,secret,,\r\n",
      "bank.example", "https://bank.example", nil
    ),
    (
      "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\nmy bank,https://bank.example,"
        + "ann,secret,,false,false,,n", "my bank", "https://bank.example", "n"
    ),
    (
      "url,username,password,totp,extra,name,grouping,fav\nhttps://bank.example,ann,secret,,n,my bank,,0",
      "my bank", "https://bank.example", "n"
    ),
    (
      "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,"
        + "login_totp\n,,login,my bank,n,,0,https://bank.example,ann,secret,",
      "my bank", "https://bank.example", "n"
    ),
    (
      "\"Group\",\"Title\",\"Username\",\"Password\",\"URL\",\"Notes\",\"TOTP\",\"Icon\","
        + "\"Last Modified\",\"Created\"\n\"\",\"my bank\",\"ann\",\"secret\",\"https://bank.example\","
        + "\"n\",\"\",\"0\",\"2026-01-01T00:00:00Z\",\"2026-01-01T00:00:00Z\"",
      "my bank", "https://bank.example", "n"
    ),
    // As a spreadsheet in many countries saves it.
    (
      "name;url;username;password\nmy bank;https://bank.example;ann;secret",
      "my bank", "https://bank.example", nil
    ),
  ])
  func everyProgramsColumnsAreKnown(
    text: String, name: String, url: String, notes: String?
  ) throws {
    let (found, kind, attributes) = try context(.csv, text)
    #expect(found == name)
    #expect(kind == .account)
    func value(_ kind: AttributeRecord.Kind) -> String? {
      attributes.first { $0.kind == kind }?.text
    }
    #expect(value(.username) == "ann")
    #expect(value(.password) == "secret")
    #expect(value(.url) == url)
    #expect(value(.note) == notes)
    #expect(attributes.count == (notes == nil ? 3 : 4))
  }

  @Test func columnsOfOtherNamesAreKeptConcealed() throws {
    let (_, _, attributes) = try context(
      .csv, "Title,Password,Customer number,Favorite,Tags,OTP\na,b,c,1,x;y,JBSWY3DPEHPK3PXP")
    #expect(
      attributes == [
        Attribute(label: "password", kind: .password, text: "b"),
        Attribute(label: "Customer number", kind: .text, isConcealed: true, text: "c"),
        Attribute(label: "favourite", kind: .boolean, text: "true"),
        Attribute(label: "tags", kind: .tags, text: "x, y"),
        Attribute(label: "one-time code", kind: .totp, text: "JBSWY3DPEHPK3PXP"),
      ])
  }

  @Test func severalSitesInOneFieldAreSeveral() throws {
    let (_, _, attributes) = try context(
      .csv, "name,login_uri,login_password\na,\"https://a.example,https://b.example\",x")
    #expect(
      attributes.filter { $0.kind == .url }.map(\.text) == [
        "https://a.example", "https://b.example",
      ])
    #expect(Set(attributes.map(\.label)).count == 3)
  }

  @Test func aTableThatDoesNotReadIsRefusedWhole() {
    let refused: [(String, ImportError)] = [
      ("", .unknownColumns), ("a,b,c\n1,2,3", .unknownColumns),
      ("https://a.example,ann,secret", .unknownColumns),
      ("name,password\na,b\nc,\"d", .notCSV(line: 3)),
      ("name,password\na,b,c", .notCSV(line: 2)),
      ("name,password\n\"a\"b,c", .notCSV(line: 2)),
      ("name,password\n\"a\nb\",c,d", .notCSV(line: 2)),
    ]
    for (text, error) in refused {
      #expect(throws: error, "\(text)") { try read(.csv, text) }
    }
    #expect(throws: ImportError.notCSV(line: 2)) {
      try ImportFormat.csv.read(Array("name,password\n".utf8) + [0xff, 0x2c, 0x61])
    }
  }

  @Test func nothingOfAFileIsTakenWhenOneItemIsTooLarge() {
    let large = String(repeating: "x", count: Limits.valueBytes + 1)
    #expect(
      throws: ImportError.overLimit(
        item: 2, limit: "bytes of a value", allowed: Limits.valueBytes)
    ) {
      try read(.csv, "name,password\na,b\nc,\(large)")
    }
  }

  // MARK: pass

  private func pass(_ text: String, name: String = "web/bank.example") throws -> Imported {
    try ImportFormat.pass.read(
      PassImport.bytes([PassImport.Entry(name: name, text: text)]))
  }

  @Test func anEntryOfAPassStoreIsReadLineByLine() throws {
    let imported = try pass(
      """
      first: line is always the password
      login: ann
      URL: https://bank.example
      otpauth://totp/x?secret=JBSWY3DPEHPK3PXP
      PIN code: 4711
      branch: north

      See https://help.example: call before noon.
      This is a sentence of many words: and not a field.

      """)
    guard case .createContext(let name, let kind, let attributes)? = imported.edits.first else {
      Issue.record("no context")
      return
    }
    #expect(name == "web/bank.example")
    #expect(kind == .account)
    #expect(
      attributes == [
        Attribute(label: "password", kind: .password, text: "first: line is always the password"),
        Attribute(label: "username", kind: .username, text: "ann"),
        Attribute(label: "url", kind: .url, text: "https://bank.example"),
        Attribute(
          label: "one-time code", kind: .totp, text: "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP"),
        Attribute(label: "PIN code", kind: .text, isConcealed: true, text: "4711"),
        Attribute(label: "branch", kind: .text, text: "north"),
        Attribute(
          label: "notes", kind: .note,
          text: """
            See https://help.example: call before noon.
            This is a sentence of many words: and not a field.
            """),
      ])
  }

  @Test func anEntryThatIsACodeHasNoPassword() throws {
    let imported = try pass("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP\n")
    guard case .createContext(_, _, let attributes)? = imported.edits.first else {
      Issue.record("no context")
      return
    }
    #expect(attributes.map(\.label) == ["one-time code"])
  }

  @Test func anEmptyStoreIsRefused() {
    #expect(throws: ImportError.notPass) { try ImportFormat.pass.read(PassImport.bytes([])) }
    #expect(throws: ImportError.notPass) { try read(.pass, "secret") }
  }

  /// What a secret is may not be told by an error.
  @Test func aSecretThatMakesNoCodesIsKeptAsText() throws {
    let imported = try read(.csv, "name,password,totp\na,b,not base 32!")
    #expect(
      imported.warnings == [
        "Item 1: its one-time code's secret does not read; it is kept as text."
      ])
    #expect(imported.counts.attributes == 2)
  }

  // MARK: Any bytes

  @Test(arguments: ImportFormat.allCases)
  func anyBytesGiveAnErrorOrContexts(_ format: ImportFormat) {
    var random = SeededEntropy(seed: 7)
    let samples = [
      keePass("<Entry>" + string("Password", "x") + "</Entry>"),
      "name,url,password\n\"a\"\"\",b,c\r\n", #"[{"name":"a","text":"b\nc: d"}]"#,
      #"{"items":[{"type":1,"name":"a","login":{"password":"b"}}]}"#,
    ].map { Array($0.utf8) }
    var taken = 0
    for _ in 0..<2000 {
      var bytes = samples[Int(random.next() % 4)]
      for _ in 0..<(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      if random.next() % 4 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      if let imported = try? format.read(bytes) {
        taken += 1
        #expect(imported.edits.count == imported.counts.contexts)
      }
    }
    #expect(taken > 0)
  }
}
