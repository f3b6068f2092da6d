import Sync
import Wire

// The account's devices: another name, and taking one out.
extension Session {
  mutating func performDevices(_ command: Command.ID, row: Int) -> [Effect] {
    switch command {
    case .open:
      let marked = peer(at: row)?.id
      openDevice = openDevice == marked ? nil : marked
    case .pair: askForPairing()
    case .back: returnFromScreen()
    case .rename:
      if let peer = peer(at: row) { overlay = .form(renameForm(peer)) }
    case .revoke:
      guard let peer = peer(at: row) else { return [] }
      guard !peer.isThisDevice else {
        say("This device cannot revoke itself. Revoke it from another one.")
        return []
      }
      overlay = .form(revokeForm(peer))
    default: break
    }
    return []
  }

  private func peer(at row: Int) -> SyncStatus.Peer? {
    status.peers.indices.contains(row) ? status.peers[row] : nil
  }

  /// Asks for the passphrase to revoke the device of that name, or of the only one that begins so.
  mutating func revoke(named name: String) -> [Effect] {
    let others = status.peers.filter { !$0.isThisDevice }
    let exact = others.filter { $0.name == name }
    let found = exact.isEmpty ? others.filter { $0.name.hasPrefix(name) } : exact
    guard found.count == 1, let row = status.peers.firstIndex(where: { $0.id == found[0].id })
    else {
      let names = others.map(\.name).joined(separator: ", ")
      complain(
        others.isEmpty
          ? "There is no other device." : "Which one is \(name)? There are \(names).")
      return []
    }
    show(.devices(row: row))
    return performDevices(.revoke, row: row)
  }

  private func renameForm(_ peer: SyncStatus.Peer) -> Form {
    Form(
      .renameDevice(peer.id), title: "Rename device  \(peer.name)",
      fields: [Form.Field(name: "device", content: .text(LineEditor(peer.name)))])
  }

  private func revokeForm(_ peer: SyncStatus.Peer) -> Form {
    var form = Form(
      .revokeDevice(peer.id), title: "Revoke  \(peer.name)",
      fields: [.ownPassphrase])
    form.notice = "It is shut out and erases itself. All keys and the kit change."
    return form
  }

  /// The account on all devices; or, when that is done, the copy that is left here.
  mutating func openDeletion() {
    let isErasing = status.state == .deleted
    let name = Form.Field(
      name: "account", content: .text(LineEditor()), help: "its name, typed in full")
    var form = Form(
      isErasing ? .eraseCopy : .deleteAccount,
      title: (isErasing ? "Erase the copy of  " : "Delete account  ") + (profile.accountName ?? ""),
      fields: isErasing ? [name] : [name, .ownPassphrase])
    form.notice =
      isErasing
      ? "What is not exported or on another device is gone."
      : "The server erases everything, for good. Copies stay to read."
    overlay = .form(form)
  }

  mutating func openPassphraseForm(isLeaked: Bool) {
    conceal()
    var form = Form(
      isLeaked ? .leakedPassphrase : .changePassphrase,
      title: isLeaked ? "Replace a passphrase that somebody may know" : "Change the passphrase",
      fields: [
        .secret("passphrase", "yours, as it is now"), .secret("new", Self.passphraseHelp),
        .secret("again", "the new one once more"),
      ])
    form.notice =
      isLeaked
      ? "All keys and the kit change. Then change the passwords that matter, too."
      : "The kit stays. Your other devices keep theirs until you do this there."
    overlay = .form(form)
  }

  mutating func openKitForm(isNew: Bool) {
    conceal()
    var form = Form(
      isNew ? .newKit : .showKit, title: isNew ? "Make another account secret" : "Account secret",
      fields: [.ownPassphrase])
    form.notice =
      isNew
      ? "The old one opens nothing any more, and all keys change."
      : "It is shown on this screen. See that nobody looks on."
    overlay = .form(form)
  }

  /// Hands the form over; it stays until an answer comes.
  mutating func submitDevice(_ form: Form) -> [Effect] {
    var form = form
    form.isWaiting = true
    form.isShown = false
    form.notice = nil
    overlay = .form(form)
    switch form.purpose {
    case .renameDevice(let device):
      return [.renameDevice(device, name: trimmed(form.text("device")))]
    case .revokeDevice(let device):
      return [.revokeDevice(device, passphrase: form.text("passphrase"))]
    case .pairDevice:
      overlay = .pairing(.asking)
      return [.pair(passphrase: form.text("passphrase"))]
    case .deleteAccount:
      return [
        .deleteAccount(name: trimmed(form.text("account")), passphrase: form.text("passphrase"))
      ]
    case .eraseCopy: return [.eraseCopy(name: trimmed(form.text("account")))]
    case .changePassphrase, .leakedPassphrase:
      return [
        .changePassphrase(
          from: form.text("passphrase"), to: form.text("new"),
          isLeaked: form.purpose == .leakedPassphrase)
      ]
    case .showKit, .newKit:
      return [.kit(passphrase: form.text("passphrase"), isNew: form.purpose == .newKit)]
    default: return []
    }
  }

  mutating func closeDeviceForm() {
    if case .form(let form) = overlay, form.isAboutDevice { overlay = nil }
  }

  /// A kit that is given with it replaces the one before.
  mutating func take(changed kit: String?, isAdopted: Bool) {
    closeDeviceForm()
    let text =
      isAdopted
      ? "This device takes the account's passphrase now."
      : "The passphrase is changed. Do the same on your other devices."
    say(text)
    addLine("passphrase", by: profile.deviceName, text)
    if let kit { take(kit, isNew: true) }
  }

  mutating func take(_ kit: String, isNew: Bool) {
    closeDeviceForm()
    conceal()
    if isNew {
      let text = "The account secret is another one; the old opens nothing any more."
      say(text)
      addLine("kit", by: profile.deviceName, text)
    }
    overlay = .kit(kit)
  }

  /// The kit goes over whatever is there: it is nowhere else.
  mutating func take(revoked names: [String], haveErased: Bool, kit: String) {
    closeDeviceForm()
    conceal()
    let words = names.joined(separator: ", ")
    let text =
      haveErased
      ? "\(words) is revoked and has erased itself."
      : "\(words) is revoked, and erases itself when it hears of it."
    say(text)
    addLine("revoked", by: profile.deviceName, text)
    overlay = .kit(kit)
  }
}
