public import Sync
public import Wire

/// What a ``Session`` wants done; the only way out of it. Results come back as events.
public enum Effect: Hashable, Sendable {
  case unlock(passphrase: String)
  case lock
  case quit
  case suspend
  /// Paint every cell anew.
  case redraw
  case bell
  case createAccount(
    server: String, account: String, device: String, passphrase: String, invite: String?)
  case join(code: String, device: String, passphrase: String)
  /// Make this another device with nothing but passphrase and kit.
  case recover(server: String, account: String, device: String, passphrase: String, kit: String)
  /// From here to `formClosed` nothing of this context may leave the device.
  case formOpened(ContextID)
  case formClosed(ContextID)
  /// One person's edit, to be kept and sent as a whole.
  case save([Edit])
  /// An unsaved edit, to be kept sealed on disk in place of the one with its id. Whatever follows
  /// `lock`, `suspend` and `quit` waits for it; nothing else does.
  case keepDraft(Draft)
  case dropDraft(DraftID)
  /// The list of signals, the newest first, to be kept sealed on disk in place of the one before.
  /// What follows waits for it as it does for drafts.
  case keepSignals([SignalEntry])
  case sync
  case generate(GeneratorForm)
  /// `label` says what it is, without its value.
  case copy(text: String, label: String, concealed: Bool)
  /// The code that `secret` gives now.
  case oneTimeCode(AttributeID, secret: String)
  case loadHistory(ContextID, AttributeID)
  case loadTrash
  /// The contexts as they were at a time (milliseconds since 1970).
  case loadPast(Int64)
  /// Take back, or make again, the account's newest change.
  case undo
  case redo
  /// A person dealt with the alarms of this code.
  case clearAlarm(code: String)
  /// Show a code for one new device; the passphrase is the person's, once more.
  case pair(passphrase: String)
  /// The answer to a device that wants to join; false also ends a pairing that waits for one.
  case admit(Bool)
  /// Give a device of the account another name.
  case renameDevice(DeviceID, name: String)
  /// Take a device out of the account.
  case revokeDevice(DeviceID, passphrase: String)
  /// Give the account another passphrase; `isLeaked` also gives it other keys and another kit.
  case changePassphrase(from: String, to: String, isLeaked: Bool)
  /// Show the kit again, or make another one, with other keys.
  case kit(passphrase: String, isNew: Bool)
  /// Delete the account, on all devices; `name` is what was typed as its name.
  case deleteAccount(name: String, passphrase: String)
  /// Erase the copy of an account that was deleted.
  case eraseCopy(name: String)
  case importFile(format: String, path: String)
  case exportFile(format: String, path: String)
  /// Keep what the person chose, and do so.
  case prefer(Preferences)
  case saveScreen(String)
  /// Play the script in this file.
  case playScript(String)
}
