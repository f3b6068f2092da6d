import Sync
import Wire

/// What is typed and not saved, and what is taken back.
extension World {
  /// A burst of typing: kept sealed on this disk, in no commit.
  func type(into form: SimulatedDevice.Form, on device: SimulatedDevice) throws {
    texts += 1
    let typed = "typed \(texts) on \(device.number)"
    let draft = Draft(
      id: form.draft, form: .editValue, context: form.context, attribute: form.attribute,
      base: form.base, fields: ["value": typed], at: device.moment(now).wall)
    if bug == .commitDrafts {
      try save(
        [.setValue(form.context, form.attribute, text: typed, base: form.base)],
        immediately: true, by: device)
    }
    try take(.drafted(draft), by: device)
    let isKept = device.disk.current.state.drafts.contains { $0.id == form.draft }
    if isKept { device.typed[form.draft] = typed }
    guard device.isUp, !isKept, device.timersRestUntil <= now else { return }
    throw Violation(.s16, "what was typed on \(device.number) is not kept")
  }

  func dropDraft(_ id: DraftID, on device: SimulatedDevice) throws {
    try take(.draftDropped(id), by: device)
    if !device.disk.current.state.drafts.contains(where: { $0.id == id }) {
      device.typed[id] = nil
    }
  }

  /// S16: an interrupted edit is offered back with what was typed.
  func checkDrafts(of device: SimulatedDevice) throws {
    guard device.isUp, !device.isLocked else { return }
    let offered = device.core.drafts.reduce(into: [DraftID: String]()) {
      $0[$1.id] = $1.fields["value"]
    }
    for (id, text) in device.typed where offered[id] != text {
      throw Violation(.s16, "what was typed on \(device.number) is not offered back")
    }
  }

  /// S4: what was typed and not saved is in no commit.
  func checkNothingTypedIsCommitted() throws {
    let isTyped = { (version: Shadow.Version) in
      version.content?.text?.hasPrefix("typed ") == true
    }
    guard let version = shadow.versions.values.first(where: isTyped) else { return }
    throw Violation(.s4, "\(version.content?.text ?? "") left without having been saved")
  }

  /// The newest change of the account is taken back, or done again.
  func undo(on device: SimulatedDevice) throws {
    let replica = device.core.replica
    let isRedo = replica.redoable != nil && entropy.chance(40)
    guard let change = isRedo ? replica.redoable : replica.undoable else { return }
    count(isRedo ? .redo : .undo)
    for context in change.contexts {
      restored.insert(context)
      rewritten.formUnion(replica[context]?.attributes.map(\.id) ?? [])
    }
    let before = Set(shadow.versions.keys)
    try save(
      overwriting(change, on: device) ?? [isRedo ? .redo(change.id) : .undo(change.id)], by: device)
    try checkUndo(of: change, since: before)
  }

  /// The bug: what was there before is written without regard to what is there now.
  private func overwriting(_ change: ChangeSet, on device: SimulatedDevice) -> [Edit]? {
    guard bug == .undoByOverwriting, change.kind == .set, let id = change.contexts.first,
      let attribute = device.core.replica[id]?.attributes.first(where: { $0.label == change.label }
      ),
      let former = device.core.replica.history(of: attribute.id, in: id).dropLast().last?.text
    else { return nil }
    return [.setValue(id, attribute.id, text: former, base: nil)]
  }

  /// S2: an undo hides no value but those of the change it takes back, and what it writes again.
  private func checkUndo(of change: ChangeSet, since before: Set<VersionID>) throws {
    let new = shadow.versions.values.filter { !before.contains($0.id) && $0.register == "value" }
    let time = [change.id.time.milliseconds, Int64(change.id.time.counter)]
    for version in new {
      for id in version.supersedes where id != version.copies {
        let hidden = shadow.originals(of: id)
        guard let text = hidden.first?.content?.text, !hidden.contains(where: { $0.time == time })
        else { continue }
        throw Violation(.s2, "an undo hides \(text), which it does not take back")
      }
    }
  }
}
