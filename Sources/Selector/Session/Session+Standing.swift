import Sync
import Wire

// Alarms and notices that stand until a person deals with them, and what was deleted.
extension Session {
  /// 20: more than that nobody reads; all of them are in the log.
  static let noticeLimit = 20

  /// A line of the list of alarms.
  enum Standing: Hashable {
    case alarm(SyncStatus.Alarm)
    case notice(Notice)
  }

  /// What waits for a person: alarms, then notices, the newest first.
  var standing: [Standing] {
    status.alarms.map(Standing.alarm) + notices.reversed().map(Standing.notice)
  }

  /// An alarm in three words, for title and status.
  static func words(alarm code: String) -> String {
    AlarmGuide.of(code)?.words ?? code
  }

  mutating func performAlarms(_ command: Command.ID) -> [Effect] {
    guard case .alarms(let row) = detail else { return [] }
    if command == .back { returnFromScreen() }
    let standing = standing
    guard command == .delete, standing.indices.contains(row) else { return [] }
    switch standing[row] {
    case .alarm(let alarm):
      overlay = .question(
        Question(
          text: "Have you dealt with \"\(Self.words(alarm: alarm.code))\"? It is then taken down.",
          action: .clearAlarm(code: alarm.code)))
    case .notice(let notice):
      notices.removeAll { $0 == notice }
      say("The notice was taken down; the signals still have it.")
    }
    return []
  }

  mutating func performTrash(_ command: Command.ID) -> [Effect] {
    guard case .trash(var view) = detail else { return [] }
    if command == .back { returnFromScreen() }
    guard command == .restore, let records = view.records, records.indices.contains(view.row)
    else { return [] }
    let restored = records[view.row]
    view.records?.remove(at: view.row)
    detail = .trash(view)
    return save([.restoreContext(restored.id)])
  }

  /// How long a deleted context can still be restored.
  func timeLeft(_ record: TrashRecord) -> String {
    let hours = Int(max(0, record.expiresAt - now) + 3_599_999) / 3_600_000
    if hours > 24 { return "\(Self.counted((hours + 23) / 24, "day")) left" }
    return "\(Self.counted(hours, "hour")) left"
  }

  /// What an undo or redo did: "undone: password of bank.example back to the value of 12:03".
  func words(_ reversal: Reversal) -> String {
    let done = reversal.isRedo ? "done again" : "undone"
    switch reversal.result {
    case .back(let at):
      return "\(done): \(reversal.what) back to the value of \(time.short(at, now: now))"
    case .asBefore: return "\(done): \(reversal.what)"
    case .gone: return "\(done): \(reversal.what) is gone again"
    case .there: return "\(done): \(reversal.what) is there again"
    }
  }
}

/// What an alarm means to a person, and what they can do.
struct AlarmGuide: Hashable, Sendable {
  /// For title and status.
  let words: String
  let meaning: String
  let advice: String

  /// nil for an alarm of a later program; its own text has to do.
  static func of(_ code: String) -> AlarmGuide? { table[code] }

  private static let table: [String: AlarmGuide] = [
    "rollback": AlarmGuide(
      words: "server lost changes",
      meaning: "The server confirmed changes that it no longer holds, as after an old backup was "
        + "put back.",
      advice: "Nothing is lost: your devices hold everything and send it again by themselves. Ask "
        + "who runs the server what happened."),
    "withheld": AlarmGuide(
      words: "server withholds changes",
      meaning: "The server knows of changes by your devices and does not hand them out.",
      advice: "Compare what your devices show. If it stays, move to another server; every device "
        + "can fill it."),
    "fork": AlarmGuide(
      words: "two histories",
      meaning: "One device signed two different changes with the same number, or the server shows "
        + "different histories to different devices.",
      advice: "Find the device that was copied or restored. If none was, do not trust this server "
        + "and revoke the device named here."),
    "forged": AlarmGuide(
      words: "forged changes",
      meaning: "Changes arrived that no device of yours signed. They were not taken.",
      advice: "Your values are as they were. Do not trust this server until whoever runs it has "
        + "explained it."),
    "malformed": AlarmGuide(
      words: "unreadable answer",
      meaning: "The server answered with something this program cannot read. It was not taken.",
      advice: "Update this program and the server, then press s."),
    "membership": AlarmGuide(
      words: "device list refused",
      meaning: "The list of your devices was changed in a way none of them signed.",
      advice: "Open the devices with D and check that you know each of them."),
  ]
}
