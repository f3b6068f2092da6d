import Foundation
import Selector
import Storage
import Sync
import Terminal
import Wire

/// Carries events into the ``Session`` and its effects out, one burst at a time.
///
/// Effects that touch the device are awaited in their order, so that an edit is saved before its
/// form is closed; what takes long (network, hashing) runs beside and comes back as an event.
actor Driver {
  let terminal: any Surface
  let folder: ProfileFolder
  let inbox = Inbox()
  let library: ThemeLibrary
  var device: Device?
  var session: Session
  var profile: Profile
  var drafts: DraftWriter?
  var pairing: Task<Void, Never>?
  var admission: CheckedContinuation<Bool, Never>?
  var theme = Theme.terminal
  /// What this selector put where people paste from, while it may still be there.
  var clipboard: ClipboardRoute.Copied?
  var clipboardTask: Task<Void, Never>?
  /// The script being played.
  var player: Task<Void, Never>?
  /// Why the script of a screen without a terminal did not come to its end.
  private(set) var scriptFailure: Failure?
  /// Why nothing of the account is here any more.
  private(set) var wiped: Failure?
  /// Whether the next frame sounds the bell.
  var rings = false
  /// Whether the person handed in a line since the screen was last told.
  private var isAnswering = false
  private let passphrasePath: String?
  private var control: ControlServer?
  private var deviceTask: Task<Void, Never>?
  private var deadline: Task<Void, Never>?
  /// When ``deadline`` wakes the session; nil when it will not.
  private var armed: ContinuousClock.Instant?

  init(
    terminal: any Surface, folder: ProfileFolder, device: Device?, keymap: Keymap,
    preferences: Preferences = Preferences(), passphrasePath: String?
  ) {
    self.terminal = terminal
    self.folder = folder
    self.device = device
    self.passphrasePath = passphrasePath
    library = ThemeLibrary(configuration: folder.configuration)
    let home = ProcessInfo.processInfo.environment["HOME"] ?? "/"
    let path = folder.data.hasPrefix(home) ? "~" + folder.data.dropFirst(home.count) : folder.data
    profile = Profile(
      deviceName: device?.ownName ?? ProcessInfo.processInfo.hostName,
      deviceID: device?.settings.device,
      serverURL: device?.settings.server, storePath: path,
      phase: device == nil ? .empty : .locked(since: nil, reason: ""),
      timeZoneOffset: TimeZone.current.secondsFromGMT(), themes: library.names)
    profile.preferences = preferences
    session = Session(profile: profile, size: terminal.size, keymap: keymap)
  }

  /// Runs until the person quits or the terminal is gone.
  ///
  /// - Parameters:
  ///   - script: is played from the beginning.
  ///   - isAlone: whether nobody else presses keys, so that the script's end is the end.
  ///   - lines: where a person types lines instead of keys.
  func run(script: Script? = nil, isAlone: Bool = false, lines: PlainConsole? = nil) async {
    terminal.deliver { [inbox] batch in inbox.post(batch.map(Arrival.all) ?? [.quit]) }
    terminal.setMouse(profile.preferences.hasMouse)
    terminal.setLinks(profile.preferences.hasLinks)
    paint()
    if device != nil { await attach() }
    Task { await unlockFromFile() }
    lines?.read(into: inbox)
    if let script { play(script, isAlone: isAlone) }
    for await _ in inbox.arrivals where await !take(inbox.takeAll()) { break }
    player?.cancel()
    inbox.close()
    await close()
    // Nobody else clears what the terminal itself holds.
    if let clipboard, !clipboard.outlivesProcess { await clipboard.clear() }
    deadline?.cancel()
    deviceTask?.cancel()
    endPairing()
    control?.stop()
    await device?.stop(flush: .seconds(2))
  }

  /// Keeps what is typed and closes its form, however the program ends.
  private func close() async {
    for effect in session.update(.closing) { _ = await perform(effect) }
    await drafts?.drained()
  }

  /// Listens to the device and lets other commands use it, from now on.
  func attach() async {
    guard let device else { return }
    drafts = DraftWriter(device: device, inbox: inbox)
    do {
      control = try ControlServer.start(device)
    } catch {
      inbox.post(
        .outcome(.note("Other commands cannot reach this selector: \(Failure(error).sentence)")))
    }
    let events = await device.events()
    deviceTask = Task { [inbox] in
      for await event in events { inbox.post(Arrival.all(of: event)) }
    }
    await device.lockBy { [inbox] in
      await withCheckedContinuation { inbox.post([.lock($0)]) }
    }
    await device.start(push: true)
  }

  private func unlockFromFile() async {
    guard device != nil, let passphrasePath else { return }
    do {
      await unlock(try PassphraseSource.read(passphrasePath))
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  /// Takes a burst and paints once; false when it was the last.
  private func take(_ arrivals: [Arrival]) async -> Bool {
    guard await carryOut(session.update(.clock(Device.wallClock))) else {
      Inbox.turnAway(arrivals[...])
      return false
    }
    for (place, arrival) in arrivals.enumerated() {
      switch arrival {
      case .event(let event):
        guard await carryOut(session.update(event)) else {
          Inbox.turnAway(arrivals[(place + 1)...])
          return false
        }
        if case .outcome(.unlocked) = event { await goOn() }
        if case .status = event {
          noteIdentity()
          await tellNewcomers()
        }
        if case .line = event { isAnswering = true }
      case .suspend: await suspend()
      case .unlocked: await showUnlocked()
      case .lock(let waiting):
        _ = await carryOut(session.update(.lockAsked))
        waiting.resume()
      case .wiped(let text):
        wiped = Failure(DeviceError.revoked(text: text))
        Inbox.turnAway(arrivals[(place + 1)...])
        return false
      case .touched: player?.cancel()
      case .look(let waiting):
        chooseTheme()
        waiting.resume(returning: Shown(frame: session.view(), theme: theme))
      case .quit:
        Inbox.turnAway(arrivals[(place + 1)...])
        return false
      }
    }
    paint()
    armDeadline()
    return true
  }

  /// Plays a script beside the screen. Where nobody else can press a key, its end is the end.
  func play(_ script: Script, isAlone: Bool) {
    player?.cancel()
    let player = ScriptPlayer(script: script, inbox: inbox, setsSize: isAlone)
    self.player = Task { [inbox] in
      do {
        try await player.play()
      } catch is CancellationError {
        inbox.post(.caption("The script was ended."))
      } catch {
        if isAlone { self.scriptFailure = Failure(error) }
        inbox.post(.outcome(.failed(Failure(error).sentence)))
      }
      if isAlone { inbox.post([.quit]) }
    }
  }

  /// A device that was restored or cloned goes on under another id.
  private func noteIdentity() {
    guard let device, device.settings.device != profile.deviceID else { return }
    profile.deviceID = device.settings.device
    inbox.post(.profile(profile))
  }

  private func tellNewcomers() async {
    guard let device, profile.phase == .unlocked, let newcomers = await device.newcomers() else {
      return
    }
    for notice in newcomers.notices { _ = await carryOut(session.update(.notice(notice))) }
    await device.told(of: newcomers)
  }

  /// Shows the signals of earlier, and offers what was typed and not saved.
  private func goOn() async {
    guard let device else { return }
    _ = await carryOut(session.update(.signals(await device.signals())))
    _ = await carryOut(session.update(.drafts(await device.drafts())))
  }

  private func carryOut(_ effects: [Effect]) async -> Bool {
    for effect in effects {
      guard await perform(effect) else { return false }
    }
    return true
  }

  /// Conceals, gives the terminal back, stops, and comes back to where it was.
  func suspend() async {
    for effect in session.update(.suspended) { _ = await perform(effect) }
    await drafts?.drained()
    paint()
    await terminal.suspend()
    await device?.wake()
    inbox.post([.event(.continued), .event(.resize(terminal.size))])
  }

  func paint() {
    chooseTheme()
    var frame = session.view()
    frame.bell = frame.bell || rings
    rings = false
    terminal.show(frame, theme: theme)
    terminal.tell(session, isAnswer: isAnswering)
    isAnswering = false
  }

  private func chooseTheme() {
    if theme.name != session.themeName {
      do {
        theme = try library.theme(session.themeName)
      } catch {
        inbox.post(.outcome(.failed(Failure(error).sentence)))
        theme = .terminal
      }
    }
  }

  /// Wakes the session when it said something ends, or each second while something counts down.
  private func armDeadline() {
    var wait = session.nextDeadline.map { $0 - Device.wallClock }
    if session.wantsTicks { wait = min(wait ?? .max, 1000 - Device.wallClock % 1000) }
    guard let wait else {
      deadline?.cancel()
      armed = nil
      return
    }
    // Each key puts the locking off: a timer that comes too early only looks again.
    let due = ContinuousClock.now + .milliseconds(max(wait, 1))
    if let armed, armed <= due { return }
    deadline?.cancel()
    armed = due
    deadline = Task {
      do {
        try await Task.sleep(until: due)
      } catch {
        return
      }
      guard !Task.isCancelled else { return }
      self.armed = nil
      self.inbox.post([])
    }
  }

  func say(_ phase: Profile.Phase) {
    profile.phase = phase
    inbox.post(.profile(profile))
  }
}

extension Arrival {
  /// A burst from the terminal. A key says that a person is there.
  fileprivate static func all(of batch: [TerminalEvent]) -> [Arrival] {
    let isTouched = batch.contains { event in
      switch event {
      case .key, .paste, .mouse: true
      default: false
      }
    }
    return (isTouched ? [.touched] : []) + batch.compactMap(Arrival.init)
  }

  fileprivate init?(_ event: TerminalEvent) {
    switch event {
    case .key(let key): self = .event(.key(key))
    case .paste(let text): self = .event(.paste(text))
    case .mouse(let mouse): self = .event(.mouse(mouse))
    case .pasteRefused(let bytes):
      self = .event(.outcome(.note("A paste of \(bytes) bytes is too large; nothing was taken.")))
    case .resize(let size): self = .event(.resize(size))
    case .suspendRequested: self = .suspend
    case .continued: return nil
    case .hangup, .terminate, .lost: self = .quit
    }
  }
}

extension Arrival {
  fileprivate static func all(of event: DeviceEvent) -> [Arrival] {
    switch event {
    case .contexts(let records): [.event(.contexts(records))]
    case .contextsChanged(let records, let removed):
      [.event(.updated(records, removed: removed.sorted()))]
    case .changed(let changes): [.event(.changed(changes))]
    case .status(let status): [.event(.status(status))]
    case .progress(let progress): [.event(.progress(progress))]
    // The session knows what it handed over; what an earlier one left is offered at unlocking.
    case .drafts: []
    case .notice(let notice): [.event(.notice(notice))]
    case .unlocked: [.unlocked]
    case .revoked(let text): [.wiped(text)]
    }
  }
}
