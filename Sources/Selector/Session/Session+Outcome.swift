import Sync
import Wire

// What came of effects.
extension Session {
  mutating func take(_ outcome: Outcome) -> [Effect] {
    switch outcome {
    case .unlocked:
      profile.phase = .unlocked
      greet()
      addLine("unlocked", by: profile.deviceName)
    case .wrongPassphrase(let tries, let wait): refuse(triesLeft: tries, waitSeconds: wait)
    case .accountCreated(let kit):
      isKitFirst = true
      overlay = .kit(kit)
    case .joinWords(let words):
      overlay = nil
      welcome = .words(words)
    case .joined:
      welcome = .choice(0)
      say("This device has joined. Its contexts arrive now.")
    case .failed(let text): fail(text)
    case .generated(let text): take(generated: text)
    case .copied(let label, let route, let seconds):
      say("\(label): \(route), cleared in \(seconds) s.")
      addLine("copied", by: profile.deviceName, label)
    case .saved: return takeSaved()
    case .notSaved(let reason): return takeNotSaved(reason)
    case .reversed(let reversal): tell(words(reversal), verb: reversal.isRedo ? "redo" : "undo")
    case .trash(let records):
      if case .trash(var view) = detail {
        view.records = records
        detail = .trash(view)
      }
    case .past(let at, let records): show(past: records, at: at)
    case .imported(let count, let warnings): take(imported: count, warnings: warnings)
    case .note(let text): tell(text, verb: "note")
    case .oneTimeCode(let attribute, let code, let seconds):
      return take(code: code, of: attribute, secondsLeft: seconds)
    case .history(let context, let attribute, let versions):
      take(versions: versions, of: attribute, in: context)
    case .deviceRenamed(let name):
      closeDeviceForm()
      tell("It is called \(name) now, on all devices.", verb: "renamed")
    case .accountDeleted:
      closeDeviceForm()
      tell("The account is deleted. The server has nothing of it any more.", verb: "deleted")
    case .deviceRevoked(let names, let haveErased, let kit):
      take(revoked: names, haveErased: haveErased, kit: kit)
    case .passphraseChanged(let isAdopted, let kit): take(changed: kit, isAdopted: isAdopted)
    case .kit(let kit, let isNew): take(kit, isNew: isNew)
    case .pairingCode, .pairingOffer, .pairingDone, .pairingFailed: takePairing(outcome)
    }
    return []
  }

  /// A sentence for the message row that is also worth a line in the log.
  private mutating func tell(_ text: String, verb: String) {
    say(text)
    addLine(verb, by: profile.deviceName, text)
  }

  /// Remarks listed of one import; a file with more has the same ones over and over.
  private static let remarkLimit = 100

  private mutating func take(imported count: Int, warnings: [String]) {
    progress = nil
    for warning in warnings.prefix(Self.remarkLimit).reversed() {
      addLine("remark", by: profile.deviceName, warning)
    }
    let remarks =
      warnings.isEmpty ? "" : " S shows \(Self.counted(warnings.count, "remark"))."
    let contexts = Self.counted(count, "context")
    let source = importing.map { " from \($0)" } ?? ""
    importing = nil
    addLine("imported", by: profile.deviceName, contexts + source)
    say("Imported \(contexts).\(remarks) Delete the file: it is readable.")
  }

  private mutating func refuse(triesLeft: Int, waitSeconds: Int) {
    lockScreen.clear()
    lockScreen.isChecking = false
    lockScreen.triesLeft = triesLeft
    lockScreen.pausedUntil = waitSeconds > 0 ? now + Int64(waitSeconds) * 1000 : nil
    lockScreen.notice = "Wrong passphrase."
  }

  private mutating func fail(_ text: String) {
    lockScreen.isChecking = false
    importing = nil
    if case .words = welcome { welcome = .choice(0) }
    if case .form(var form) = overlay {
      form.notice = text
      form.isWaiting = false
      overlay = .form(form)
    } else if case .generator(var generator) = overlay {
      generator.notice = text
      overlay = .generator(generator)
    } else {
      complain(text)
    }
    addLine("failed", by: profile.deviceName, text)
  }

  static let sentLater = "It is sent when the server can be reached."

  /// What was said of a change that waited is not true any more once it is sent.
  mutating func correctMessage() {
    guard status.waiting == 0, let said = message, said.text.hasSuffix(Self.sentLater) else {
      return
    }
    say(String(said.text.dropLast(Self.sentLater.count)) + arrival)
  }

  /// Which devices get a change now and which later.
  var arrival: String {
    let others = status.peers.filter { !$0.isThisDevice }
    if others.isEmpty { return "" }
    if status.state == .offline { return Self.sentLater }
    let online = others.filter(\.isOnline).map(\.name)
    let offline = others.filter { !$0.isOnline }.map(\.name)
    var parts: [String] = []
    if !online.isEmpty { parts.append("\(online.joined(separator: ", ")) now") }
    if !offline.isEmpty { parts.append("\(offline.joined(separator: ", ")) when online") }
    return "It goes to \(parts.joined(separator: ", "))."
  }

  private mutating func take(generated text: String) {
    switch overlay {
    case .generator(var generator):
      generator.value = text
      overlay = .generator(generator)
    case .values(var form):
      form.editor.replace(with: text)
      overlay = .values(form)
    case .form(var form):
      guard var editor = form.editor else { return }
      editor.replace(with: text)
      form.editor = editor
      overlay = .form(form)
    default: break
    }
  }

  private mutating func take(code: String, of id: AttributeID, secondsLeft: Int) -> [Effect] {
    if copyingCode == id {
      copyingCode = nil
      return [.copy(text: code, label: copyLabel(id), concealed: true)]
    }
    guard isUnlocked, reveal?.target == .attribute(id) else { return [] }
    codes[id] = OneTimeCode(text: code, until: now + Int64(max(1, secondsLeft)) * 1000)
    return []
  }

  private mutating func take(
    versions: [ValueRecord], of attribute: AttributeID, in context: ContextID
  ) {
    if case .history(var view) = detail, view.context == context {
      view.take(versions, of: attribute)
      detail = .history(view)
    }
    if case .conflict(var view) = detail, view.context == context, view.attribute == attribute {
      view.ancestor = versions.filter { !$0.isHead && $0.text != nil }.max { $0.at < $1.at }
      detail = .conflict(view)
    }
  }

  private mutating func takePairing(_ outcome: Outcome) {
    switch outcome {
    case .pairingCode(let code, let expiresAt):
      guard case .pairing = overlay else { return }
      overlay = .pairing(.code(code, expiresAt: expiresAt))
    case .pairingOffer(let name, let words):
      guard case .pairing = overlay else { return }
      overlay = .pairing(.offer(name: name, words: words))
    case .pairingDone(let name):
      if case .pairing = overlay { overlay = nil }
      tell("\(name) is paired and gets everything now.", verb: "paired")
    case .pairingFailed(let text):
      if case .pairing(.asking) = overlay {
        // Whoever types the passphrase again at once is not to type commands.
        askForPairing(notice: text)
      } else {
        if case .pairing = overlay { overlay = nil }
        complain(text)
      }
      addLine("failed", by: profile.deviceName, text)
    default: break
    }
  }
}
