import Foundation
import Selector
import Sync
import Wire

/// Undo, history, the past and the trash: what a replica knows beyond what is there now.
extension Driver {
  /// Takes back, or makes again, the account's newest change, and says what that was.
  func reverse(isRedo: Bool) async {
    guard let device else { return }
    do {
      let next = isRedo ? await device.redoable : await device.undoable
      let before = await device.replica
      let done = isRedo ? try await device.redo() : try await device.undo()
      let after = await device.replica
      let reversal = Reversal(
        isRedo: isRedo, what: what(next ?? done),
        result: Self.result(next ?? done, before: before, after: after))
      inbox.post(.outcome(.reversed(reversal)))
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  private func what(_ done: ChangeSet) -> String {
    if done.contexts.count > 1 { return "\(done.contexts.count) contexts" }
    return done.label.map { "\($0) of \(done.contextName)" } ?? done.contextName
  }

  /// What became of the one context, or the one attribute, that a change was about.
  private static func result(
    _ done: ChangeSet, before: Replica, after: Replica
  ) -> Reversal.Result {
    guard done.contexts.count == 1, let context = done.contexts.first else { return .asBefore }
    guard let now = after[context] else { return .gone }
    guard let then = before[context] else { return .there }
    let ids = Set(now.attributes.map(\.id)), oldIDs = Set(then.attributes.map(\.id))
    if done.label != nil, ids != oldIDs { return ids.count < oldIDs.count ? .gone : .there }
    let values = Dictionary(uniqueKeysWithValues: then.attributes.map { ($0.id, $0.text) })
    let changed = now.attributes.filter { values[$0.id] != $0.text }
    guard changed.count == 1, let attribute = changed.first else { return .asBefore }
    let earlier = after.history(of: attribute.id, in: context)
      .filter { !$0.isHead && $0.text == attribute.text }
    return earlier.map(\.at).max().map(Reversal.Result.back) ?? .asBefore
  }

  func loadTrash() async {
    inbox.post(.outcome(.trash(await device?.trash() ?? [])))
  }

  /// The contexts as they were at a time.
  func loadPast(_ at: Int64) async {
    guard let device else { return }
    inbox.post(.outcome(.past(at: at, await device.asOf(at).contexts)))
  }

  func clearAlarm(_ code: String) async {
    do {
      try await device?.clearAlarms(code: code)
      inbox.post(.outcome(.note("The alarm was taken down.")))
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }
}
