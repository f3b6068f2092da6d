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
  /// From here to `formClosed` nothing of this context may leave the device.
  case formOpened(ContextID)
  case formClosed(ContextID)
  /// One person's edit, to be kept and sent as a whole.
  case save([Edit])
  case sync
  case generate(GeneratorForm)
  /// `label` says what it is, without its value.
  case copy(text: String, label: String, concealed: Bool)
  case oneTimeCode(ContextID, AttributeID)
  case loadHistory(ContextID, AttributeID)
  case undo
  case redo
  case pair
  /// The answer to a device that wants to join; false also ends a pairing that waits for one.
  case admit(Bool)
  case importFile(format: String, path: String)
  case exportFile(format: String, path: String)
  case setTheme(String)
  case saveScreen(String)
}
