import Sync
import Vault
import Wire

/// Attribute values being edited where they stand. Everything typed is one edit when it is saved.
struct ValueForm: Hashable, Sendable {
  struct Entry: Hashable, Sendable {
    /// As it was when it was first edited: what the person saw.
    let attribute: AttributeRecord
    /// The values this one replaces.
    let base: [VersionID]
    /// What is typed is kept under this id.
    let draft: DraftID
    var editor: LineEditor

    var isModified: Bool {
      editor.text != attribute.text || Set(base) != Set(attribute.heads.map(\.id))
    }
  }

  /// The context as it was when the form was opened; stays on the screen if a peer deletes it.
  let record: ContextRecord
  private(set) var entries: [Entry] = []
  private(set) var current: AttributeID
  /// Whether concealed values are shown while typed.
  var isShown = false
  /// What a peer did to this context meanwhile.
  var notice: String?

  init(_ record: ContextRecord, editing attribute: AttributeRecord, draft: DraftID) {
    self.record = record
    current = attribute.id
    edit(attribute, draft: draft)
  }

  /// The form of an edit that was interrupted, over what its author saw then.
  init(
    _ record: ContextRecord, goingOnWith text: String, of attribute: AttributeRecord,
    base: [VersionID]?, draft: DraftID
  ) {
    self.record = record
    current = attribute.id
    entries = [
      Entry(
        attribute: attribute, base: base ?? attribute.heads.map(\.id), draft: draft,
        editor: LineEditor(
          text, isMultiline: attribute.isMultiline || text.contains(where: \.isNewline)))
    ]
  }

  /// Goes to an attribute; what was typed into it before is still there.
  mutating func edit(_ attribute: AttributeRecord, draft: DraftID) {
    current = attribute.id
    guard entry(of: attribute.id) == nil else { return }
    entries.append(
      Entry(
        attribute: attribute, base: attribute.heads.map(\.id), draft: draft,
        editor: LineEditor(attribute.text, isMultiline: attribute.isMultiline)))
  }

  func entry(of id: AttributeID) -> Entry? {
    entries.first { $0.attribute.id == id }
  }

  var currentEntry: Entry? { entry(of: current) }

  var editor: LineEditor {
    get { currentEntry?.editor ?? LineEditor() }
    set {
      for place in entries.indices where entries[place].attribute.id == current {
        entries[place].editor = newValue
      }
    }
  }

  var edits: [Edit] {
    entries.filter(\.isModified).map {
      .setValue(record.id, $0.attribute.id, text: $0.editor.text, base: $0.base)
    }
  }

  /// The context as it is now with the attributes that are being edited: these stay on the screen
  /// when a peer deletes them.
  func over(_ live: ContextRecord?) -> ContextRecord {
    guard let live else { return record }
    var attributes = live.attributes
    for entry in entries where !attributes.contains(where: { $0.id == entry.attribute.id }) {
      let place = record.attributes.firstIndex { $0.id == entry.attribute.id } ?? attributes.count
      attributes.insert(entry.attribute, at: min(place, attributes.count))
    }
    guard attributes.count != live.attributes.count else { return live }
    return ContextRecord(
      id: live.id, name: live.name, kind: live.kind, attributes: attributes,
      updatedAt: live.updatedAt, updatedBy: live.updatedBy, names: live.names,
      deletedOn: live.deletedOn, isPending: live.isPending)
  }
}

extension AttributeRecord {
  /// Whether its value may have several lines.
  var isMultiline: Bool { kind == .note || kind == .address || text.contains(where: \.isNewline) }
}

/// A dialog with named fields.
struct Form: Hashable, Sendable {
  enum Purpose: Hashable, Sendable {
    case newContext
    case newAttribute(ContextID)
    case renameContext(ContextID)
    case renameAttribute(ContextID, AttributeID)
    case createAccount
    case join
    case renameDevice(DeviceID)
    case revokeDevice(DeviceID)
    case pairDevice
    case recover
    case changePassphrase
    case leakedPassphrase
    case showKit
    case newKit
    case deleteAccount
    /// Of an account that was deleted: its copy here.
    case eraseCopy
  }

  struct Field: Hashable, Sendable {
    enum Content: Hashable, Sendable {
      case text(LineEditor)
      case choice([String], Int)
    }

    let name: String
    var content: Content
    /// Shown beside it while it is empty or has the focus.
    var help = ""
    var isSecret = false

    var text: String {
      switch content {
      case .text(let editor): editor.text
      case .choice(let choices, let place): choices[place]
      }
    }

    static func secret(_ name: String, _ help: String) -> Field {
      Field(name: name, content: .text(LineEditor()), help: help, isSecret: true)
    }

    /// Before what whoever finds the selector open is not to do.
    static let ownPassphrase = secret("passphrase", "yours, once more")
  }

  let purpose: Purpose
  let title: String
  /// The description that was on the screen when it was opened, of what it renames.
  var base: VersionID?
  var fields: [Field]
  private(set) var focus = 0
  var isShown = false
  /// What is wrong with what was typed.
  var notice: String?
  /// What a peer did to this context meanwhile.
  var news: String?
  /// Whether it was handed over and an answer is awaited.
  var isWaiting = false
  /// What is typed is kept under this id; nil for forms of the first run.
  var draft: DraftID?
  /// What a new attribute of this context most likely is.
  var proposal: Template.Entry?
  /// What it said when it was opened: there is nothing to keep as long as it still does.
  private(set) var original: [String: String] = [:]

  init(
    _ purpose: Purpose, title: String, base: VersionID? = nil, fields: [Field], focus: Int = 0
  ) {
    self.purpose = purpose
    self.title = title
    self.base = base
    self.fields = fields
    self.focus = focus
    original = texts
  }

  /// What the fields say, by name.
  var texts: [String: String] {
    Dictionary(fields.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first })
  }

  /// Fills the fields with what was typed before; a choice that is no more stays as it is.
  mutating func fill(_ texts: [String: String]) {
    for place in fields.indices {
      guard let text = texts[fields[place].name] else { continue }
      switch fields[place].content {
      case .text(let editor):
        fields[place].content = .text(
          LineEditor(text, isMultiline: editor.isMultiline || text.contains(where: \.isNewline)))
      case .choice(let choices, _):
        if let found = choices.firstIndex(of: text) {
          fields[place].content = .choice(choices, found)
        }
      }
    }
  }

  /// The proposal, as long as neither label nor kind say otherwise.
  var chosenEntry: Template.Entry? {
    guard let proposal, proposal.kind.rawValue == text("kind") else { return nil }
    let label = text("label").lowercased()
    return label.isEmpty || label == proposal.label ? proposal : nil
  }

  /// The context whose form this is.
  var context: ContextID? {
    switch purpose {
    case .newContext, .createAccount, .join, .recover, .renameDevice, .revokeDevice, .pairDevice,
      .changePassphrase, .leakedPassphrase, .showKit, .newKit, .deleteAccount, .eraseCopy:
      nil
    case .newAttribute(let id), .renameContext(let id), .renameAttribute(let id, _): id
    }
  }

  /// Whether it is about the account or a device of it, and no edit.
  var isAboutDevice: Bool {
    switch purpose {
    case .renameDevice, .revokeDevice, .pairDevice, .changePassphrase, .leakedPassphrase, .showKit,
      .newKit, .deleteAccount, .eraseCopy:
      true
    default: false
    }
  }

  /// What handing it over does, in a word.
  var verb: String {
    switch purpose {
    case .newContext, .newAttribute, .renameContext, .renameAttribute, .renameDevice: "save"
    case .createAccount: "create"
    case .join: "join"
    case .revokeDevice: "revoke"
    case .pairDevice: "pair"
    case .recover: "recover"
    case .changePassphrase, .leakedPassphrase: "change"
    case .showKit: "show"
    case .newKit: "make"
    case .deleteAccount: "delete"
    case .eraseCopy: "erase"
    }
  }

  var isAtLast: Bool { focus == fields.count - 1 }

  /// The text of the field that takes what is typed; nil while a choice has the focus.
  var editor: LineEditor? {
    get {
      if case .text(let editor) = fields[focus].content { editor } else { nil }
    }
    set {
      if let newValue { fields[focus].content = .text(newValue) }
    }
  }

  mutating func move(by step: Int) {
    focus = ((focus + step) % fields.count + fields.count) % fields.count
  }

  mutating func focus(on field: Int) {
    focus = field.clamped(to: 0...(fields.count - 1))
  }

  /// The next or previous choice; false when a text field has the focus.
  mutating func choose(_ step: Int) -> Bool {
    guard case .choice(let choices, let place) = fields[focus].content else { return false }
    fields[focus].content = .choice(
      choices, ((place + step) % choices.count + choices.count) % choices.count)
    return true
  }

  /// Chooses by its place in the field that has the focus.
  mutating func choose(_ place: Int, of choices: [String]) {
    fields[focus].content = .choice(choices, place)
  }

  func text(_ name: String) -> String {
    fields.first { $0.name == name }?.text ?? ""
  }

  mutating func clearSecrets() {
    isShown = false
    for place in fields.indices where fields[place].isSecret {
      fields[place].content = .text(LineEditor())
    }
  }
}

/// The dialog that makes a new password.
struct Generator: Hashable, Sendable {
  let context: ContextID
  let contextName: String
  /// The password it will replace; nil when the context has none yet.
  let attribute: AttributeRecord?
  var form: GeneratorForm
  /// The new one is kept under this id: a site may have it already when the power goes.
  let draft: DraftID
  /// nil until the first one has been made.
  var value: String?
  var isShown = false
  var notice: String?

  /// What it made, and how: the next password of this context begins there.
  var edit: Edit? {
    guard let value else { return nil }
    let recipe = form.recipe.text
    guard let attribute else {
      return .addAttribute(
        context,
        Edit.NewAttribute(label: "password", kind: .password, text: value, recipe: recipe))
    }
    return .setValue(
      context, attribute.id, text: value, base: attribute.heads.map(\.id), recipe: recipe)
  }
}
