import Foundation
import Testing
import Wire

@testable import Sync

@Suite struct ExportTests {
  private let device = id(DeviceID.self, 0xd0)

  // MARK: Bitwarden

  @Test func whatWasImportedComesBackTheSame() throws {
    let imported = try BitwardenImport.read(BitwardenFixture.bytes())
    let vault = Vault(imported.edits)
    let written = try BitwardenExport.write(vault.contexts, history: vault.history)
    let again = try BitwardenImport.read(written)
    // Compared one by one, so that a failure shows one context and not three hundred.
    #expect(again.edits.count == imported.edits.count)
    for (edit, copy) in zip(imported.edits, again.edits) { #expect(edit == copy) }
    // The item of an unknown type came back as the note it was kept as.
    #expect(again.counts.unknown == 0)
    #expect(again.counts.notes == imported.counts.notes + 1)
    #expect(again.counts.earlierValues == imported.counts.earlierValues)
    #expect(again.warnings.filter { !$0.contains("passkey") } == [])
  }

  @Test func exportingTwiceWritesTheSameBytes() throws {
    let vault = Vault(try BitwardenImport.read(BitwardenFixture.bytes()).edits)
    let first = try BitwardenExport.write(vault.contexts, history: vault.history)
    #expect(try BitwardenExport.write(vault.contexts, history: vault.history) == first)
  }

  @Test func aLoginIsWrittenInBitwardensForm() throws {
    let vault = Vault([
      .createContext(
        name: "github.example", kind: .account,
        attributes: [
          Edit.NewAttribute(label: "username", kind: .username, text: "ann"),
          Edit.NewAttribute(
            label: "password", kind: .password, text: "new", history: [.init(text: "old", at: 0)]),
          Edit.NewAttribute(label: "url", kind: .url, text: "https://github.example"),
          Edit.NewAttribute(label: "url match", kind: .text, text: "host"),
          Edit.NewAttribute(label: "PIN", kind: .text, isConcealed: true, text: "1234"),
          Edit.NewAttribute(label: "folder", kind: .text, text: "Work"),
        ])
    ])
    let text = String(
      decoding: try BitwardenExport.write(vault.contexts, history: vault.history), as: UTF8.self)
    #expect(
      text == """
        {
          "encrypted" : false,
          "folders" : [
            {
              "id" : "00000000-0000-4000-8000-000000000001",
              "name" : "Work"
            }
          ],
          "items" : [
            {
              "creationDate" : "1970-01-01T00:00:01.000Z",
              "favorite" : false,
              "fields" : [
                {
                  "name" : "PIN",
                  "type" : 1,
                  "value" : "1234"
                }
              ],
              "folderId" : "00000000-0000-4000-8000-000000000001",
              "id" : "00000000-0000-0000-0000-000000000000",
              "login" : {
                "password" : "new",
                "uris" : [
                  {
                    "match" : 1,
                    "uri" : "https://github.example"
                  }
                ],
                "username" : "ann"
              },
              "name" : "github.example",
              "passwordHistory" : [
                {
                  "lastUsedDate" : "1970-01-01T00:00:00.000Z",
                  "password" : "old"
                }
              ],
              "reprompt" : 0,
              "revisionDate" : "1970-01-01T00:00:01.000Z",
              "type" : 1
            }
          ]
        }

        """)
  }

  @Test func whatHasNoPlaceInBitwardenBecomesACustomField() throws {
    let vault = Vault([
      .createContext(
        name: "router", kind: ContextRecord.Kind(rawValue: "device"),
        attributes: [
          Edit.NewAttribute(label: "password", kind: .password, text: "first"),
          Edit.NewAttribute(label: "password", kind: .password, text: "second"),
          Edit.NewAttribute(label: "born", kind: .date, text: "2020-01-01"),
          Edit.NewAttribute(label: "homepage", kind: .url, text: "http://router.example"),
          Edit.NewAttribute(label: "passkey", kind: .text, text: "not JSON"),
          Edit.NewAttribute(label: "favourite", kind: .boolean, text: "false"),
        ])
    ])
    let again = try BitwardenImport.read(
      try BitwardenExport.write(vault.contexts, history: vault.history))
    #expect(
      again.edits == [
        .createContext(
          name: "router", kind: .account,
          attributes: [
            Edit.NewAttribute(label: "password", kind: .password, text: "first"),
            Edit.NewAttribute(label: "password", kind: .text, isConcealed: true, text: "second"),
            Edit.NewAttribute(label: "born", kind: .text, text: "2020-01-01"),
            Edit.NewAttribute(label: "homepage", kind: .text, text: "http://router.example"),
            Edit.NewAttribute(label: "passkey", kind: .text, text: "not JSON"),
            Edit.NewAttribute(label: "favourite", kind: .boolean, text: "false"),
          ])
      ])
  }

  @Test func everyValueOfAConflictIsWritten() throws {
    let context = conflicted()
    let again = try BitwardenImport.read(try BitwardenExport.write([context]) { _, _ in [] })
    #expect(
      again.edits == [
        .createContext(
          name: "mail.example", kind: .account,
          attributes: [
            Edit.NewAttribute(label: "password", kind: .password, text: "mine"),
            Edit.NewAttribute(
              label: "password (other value)", kind: .text, isConcealed: true, text: "theirs"),
            Edit.NewAttribute(label: "name (other value)", kind: .text, text: "post.example"),
          ])
      ])
  }

  // MARK: JSON

  @Test func aContextIsOneLineOfJSONWithItsHistory() throws {
    let context = conflicted()
    let password = context.attributes[0].id
    let bytes = try JSONExport.write([context, context]) { attribute, owner in
      guard attribute == password, owner == context.id else { return [] }
      return [value(3, "old", isHead: false), value(4, nil, isHead: true)]
    }
    let line =
      #"{"attributes":[{"concealed":true,"conflict":true,"history":["#
      + #"{"at":5,"device":"000000000000000000000000000000d0","head":false,"#
      + #""id":"00000000000000000000000000000003","value":"old"},"#
      + #"{"at":5,"device":"000000000000000000000000000000d0","head":true,"#
      + #""id":"00000000000000000000000000000004"}],"#
      + #""id":"0000000000000000000000000000000a","label":"password","pending":false,"#
      + #""type":"password","updatedAt":1000,"updatedBy":"000000000000000000000000000000d0","#
      + #""value":"mine"}],"id":"0000000000000000000000000000000c","kind":"account","#
      + #""name":"mail.example","names":["#
      + #"{"at":5,"device":"000000000000000000000000000000d0","head":true,"#
      + #""id":"00000000000000000000000000000005","value":"mail.example"},"#
      + #"{"at":5,"device":"000000000000000000000000000000d0","head":true,"#
      + #""id":"00000000000000000000000000000006","value":"post.example"}],"#
      + #""updatedAt":1000,"updatedBy":"000000000000000000000000000000d0"}"#
    #expect(String(decoding: bytes, as: UTF8.self) == line + "\n" + line + "\n")
  }

  @Test func noContextsAreNoLines() throws {
    #expect(try JSONExport.write([]) { _, _ in [] } == [])
  }

  private func value(_ number: UInt64, _ text: String?, isHead: Bool) -> ValueRecord {
    ValueRecord(id: id(VersionID.self, number), device: device, at: 5, text: text, isHead: isHead)
  }

  private func conflicted() -> ContextRecord {
    ContextRecord(
      id: id(ContextID.self, 0xc), name: "mail.example", kind: .account,
      attributes: [
        AttributeRecord(
          id: id(AttributeID.self, 0xa), label: "password", kind: .password, isConcealed: true,
          text: "mine",
          heads: [
            value(1, "mine", isHead: true), value(2, "theirs", isHead: true),
            value(3, nil, isHead: true), value(4, "theirs", isHead: true),
          ],
          updatedAt: 1000, updatedBy: device)
      ],
      updatedAt: 1000, updatedBy: device,
      names: [value(5, "mail.example", isHead: true), value(6, "post.example", isHead: true)])
  }
}

/// The id whose last eight bytes are `number`.
private func id<Kind>(_: Identifier<Kind>.Type, _ number: UInt64) -> Identifier<Kind> {
  var writer = ByteWriter()
  writer.write(UInt64(0))
  writer.write(number)
  return Identifier(bytes: writer.bytes) ?? .zero
}

/// The contexts that edits make, with ids counted up.
private struct Vault {
  private(set) var contexts: [ContextRecord] = []
  private var histories: [AttributeID: [ValueRecord]] = [:]
  private var next: UInt64 = 0

  init(_ edits: [Edit]) {
    for edit in edits {
      guard case .createContext(let name, let kind, let attributes) = edit else { continue }
      let context = id(ContextID.self, number())
      contexts.append(
        ContextRecord(
          id: context, name: name, kind: kind, attributes: attributes.map { record($0) },
          updatedAt: 1000, updatedBy: .zero))
    }
  }

  func history(of attribute: AttributeID, in _: ContextID) -> [ValueRecord] {
    histories[attribute] ?? []
  }

  private mutating func number() -> UInt64 {
    defer { next += 1 }
    return next
  }

  private mutating func record(_ attribute: Edit.NewAttribute) -> AttributeRecord {
    let owner = id(AttributeID.self, number())
    var values = attribute.history.map { earlier in
      ValueRecord(
        id: id(VersionID.self, number()), device: .zero, at: earlier.at, text: earlier.text,
        isHead: false)
    }
    let head = ValueRecord(
      id: id(VersionID.self, number()), device: .zero, at: 1000, text: attribute.text, isHead: true)
    values.append(head)
    histories[owner] = values
    return AttributeRecord(
      id: owner, label: attribute.label, kind: attribute.kind, isConcealed: attribute.isConcealed,
      text: attribute.text, heads: [head], updatedAt: 1000, updatedBy: .zero)
  }
}
