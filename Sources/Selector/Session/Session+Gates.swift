import Sync

// Before the contexts: unlocking, the first run, the account secret.
extension Session {
  mutating func performLocked(_ command: Command.ID) -> [Effect] {
    switch command {
    case .show:
      lockScreen.isShown.toggle()
      return []
    case .run: break
    default: return []
    }
    guard !isPaused, !lockScreen.isChecking, !lockScreen.editor.isEmpty else { return [] }
    let passphrase = lockScreen.editor.text
    lockScreen.clear()
    lockScreen.isChecking = true
    lockScreen.notice = nil
    return [.unlock(passphrase: passphrase)]
  }

  mutating func performWelcome(_ command: Command.ID) -> [Effect] {
    if command == .quit { return [.quit] }
    guard case .choice(let row) = welcome else { return [] }
    let choices = Welcome.choices.count
    switch command {
    case .down: welcome = .choice((row + 1) % choices)
    case .up: welcome = .choice((row + choices - 1) % choices)
    case .run:
      overlay = .form(row == 1 ? joinForm : row == 3 ? recoverForm : createForm)
      importsFirst = row == 2
    case .help: overlay = .help(HelpScreen(place: .welcome))
    default: break
    }
    return []
  }

  private var createForm: Form {
    Form(
      .createAccount, title: "New account",
      fields: [
        Form.Field(
          name: "server",
          content: .text(LineEditor(profile.serverURL ?? "http://127.0.0.1:7480")),
          help: "where the sealed changes are kept"),
        Form.Field(
          name: "account", content: .text(LineEditor(profile.accountName ?? "")),
          help: "what you are called there"),
        Form.Field(
          name: "device", content: .text(LineEditor(profile.deviceName)),
          help: "what your other devices call this one"),
        Form.Field(
          name: "invite", content: .text(LineEditor()), help: "only if the server asks for one"),
      ] + passphraseFields)
  }

  private var joinForm: Form {
    Form(
      .join, title: "Join an account",
      fields: [
        Form.Field(
          name: "code", content: .text(LineEditor()), help: ":pair on the other device shows it"),
        Form.Field(
          name: "device", content: .text(LineEditor(profile.deviceName)),
          help: "what your other devices call this one"),
      ] + passphraseFields)
  }

  private var recoverForm: Form {
    var form = Form(
      .recover, title: "Recover an account",
      fields: [
        Form.Field(
          name: "server",
          content: .text(LineEditor(profile.serverURL ?? "http://127.0.0.1:7480")),
          help: "where the account is kept"),
        Form.Field(
          name: "account", content: .text(LineEditor()), help: "what you are called there"),
        Form.Field(
          name: "device", content: .text(LineEditor(profile.deviceName)),
          help: "what your other devices call this one"),
        .secret("kit", "the account secret you wrote down"),
        .secret("passphrase", "the account's"),
      ])
    form.notice = "If a device is left, pair with it instead."
    return form
  }

  static let passphraseHelp = "\(passphraseCharacters) characters, better 4 words; no reset"

  private var passphraseFields: [Form.Field] {
    [.secret("passphrase", Self.passphraseHelp), .secret("again", "the same once more")]
  }

  /// Hands over the form of the first run; it stays until an answer comes.
  mutating func submitFirstRun(_ form: Form) -> [Effect] {
    var form = form
    let device = trimmed(form.text("device"))
    let passphrase = form.text("passphrase")
    let invite = trimmed(form.text("invite"))
    let (server, account) = (trimmed(form.text("server")), trimmed(form.text("account")))
    let effect: Effect =
      switch form.purpose {
      case .join: .join(code: trimmed(form.text("code")), device: device, passphrase: passphrase)
      case .recover:
        .recover(
          server: server, account: account, device: device, passphrase: passphrase,
          kit: trimmed(form.text("kit")))
      default:
        .createAccount(
          server: server, account: account, device: device, passphrase: passphrase,
          invite: invite.isEmpty ? nil : invite)
      }
    form.isWaiting = true
    form.isShown = false
    form.notice = nil
    overlay = .form(form)
    return [effect]
  }

  mutating func performKit(_ command: Command.ID) -> [Effect] {
    if command == .show { showsKitCode.toggle() }
    guard command == .yes else { return [] }
    overlay = nil
    showsKitCode = false
    guard isKitFirst else { return [] }
    isKitFirst = false
    guard importsFirst else {
      overlay = .start(row: 0)
      return []
    }
    importsFirst = false
    let line = CommandLine(editor: LineEditor(LineCommand.import.rawValue + " "))
    // An account comes before the word that its store is open.
    if isUnlocked { overlay = .command(line) } else { awaitedLine = line }
    message = nil
    return []
  }

  mutating func performStart(_ command: Command.ID) -> [Effect] {
    guard case .start(let row) = overlay else { return [] }
    let count = Start.allCases.count
    switch command {
    case .down: overlay = .start(row: (row + 1) % count)
    case .up: overlay = .start(row: (row + count - 1) % count)
    case .back: begin(with: .nothing)
    case .run:
      // The account is there a moment before its store.
      guard isUnlocked else {
        say("The store is being opened.")
        return []
      }
      return Start(rawValue: row).map { begin(with: $0) } ?? []
    default: break
    }
    return []
  }

  @discardableResult
  private mutating func begin(with start: Start) -> [Effect] {
    overlay = nil
    switch start {
    case .home, .work:
      if refuseInPast() { return [] }
      return open(newContextForm(named: start == .home ? "home" : "work", .personal))
    case .file:
      overlay = .command(CommandLine(editor: LineEditor(LineCommand.import.rawValue + " ")))
    case .device:
      show(.devices(row: 0))
      askForPairing()
    case .nothing: say("o makes a context, :import reads a file, :pair adds a device.")
    }
    return []
  }
}

// Pairing, on the device that is in already.
extension Session {
  /// Whoever finds the selector open is not to take the account along.
  mutating func askForPairing(notice: String = "Then a code is shown that lets one device in.") {
    conceal()
    var form = Form(
      .pairDevice, title: "Pair a device",
      fields: [.ownPassphrase])
    form.notice = notice
    overlay = .form(form)
  }

  mutating func performPairing(_ command: Command.ID) -> [Effect] {
    guard case .pairing(let pairing) = overlay else { return [] }
    switch (command, pairing) {
    case (.yes, .offer(let name, _)):
      overlay = .pairing(.admitting(name: name))
      return [.admit(true)]
    case (.back, .admitting):
      overlay = nil
      return []
    case (.no, .offer), (.back, _), (.no, .code):
      overlay = nil
      say("The pairing was ended. No device was admitted.")
      return [.admit(false)]
    case (.copy, .code(let code, _)):
      return [.copy(text: code, label: "pairing code", concealed: true)]
    default: return []
    }
  }
}
