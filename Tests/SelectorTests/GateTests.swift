import Sync
import Testing
import Wire

@testable import Selector

/// Unlocking, locking, the first run and pairing.
@Suite struct GateTests {
  private static let locked = Profile.Phase.locked(since: nil, reason: "")

  @Test func thePassphraseIsHandedOverOnceAndForgotten() {
    var desk = Desk(Self.locked)
    desk.type(Sample.passphrase)
    desk.press("Enter")
    #expect(desk.effects == [.unlock(passphrase: Sample.passphrase)])
    #expect(desk.session.lockScreen.editor.isEmpty)
    desk.press("x Enter")
    #expect(desk.effects.isEmpty)
    desk.send(.outcome(.unlocked))
    desk.send(.contexts(Sample.records()))
    #expect(desk.text.contains("github.example"))
  }

  @Test func anEmptyPassphraseIsNotTried() {
    var desk = Desk(Self.locked)
    desk.press("Enter")
    #expect(desk.effects.isEmpty)
  }

  @Test func aWaitTakesNoPassphraseUntilItIsOver() {
    var desk = Desk(Self.locked)
    desk.send(.outcome(.wrongPassphrase(triesLeft: 0, waitSeconds: 30)))
    #expect(desk.session.wantsTicks)
    #expect(desk.session.nextDeadline == Sample.now + 30_000)
    desk.type("words")
    desk.press("Enter")
    #expect(desk.effects.isEmpty)
    desk.after(seconds: 30)
    #expect(!desk.session.wantsTicks)
    desk.type("words")
    desk.press("Enter")
    #expect(desk.effects == [.unlock(passphrase: "words")])
  }

  @Test func fiveMinutesWithoutAKeyLock() {
    var desk = Desk.open()
    #expect(desk.session.nextDeadline == Sample.now + Session.idleMilliseconds)
    desk.after(seconds: 299)
    #expect(desk.effects.isEmpty)
    desk.after(seconds: 1)
    #expect(desk.effects == [.lock])
    #expect(desk.text.contains("5 minutes without a key"))
    desk.send(.profile(Sample.profile(.locked(since: Sample.now, reason: ""))))
    #expect(desk.text.contains("5 minutes without a key"), "also when the store is closed")
    #expect(!desk.text.contains("github.example"))
    desk.after(seconds: 1000)
    #expect(desk.effects.isEmpty)
  }

  @Test func aLockedSelectorKnowsNoNamesAndKnowsThemAgain() {
    var desk = Desk.open()
    let change = Change(
      kind: .set, context: Sample.github, contextName: "github.example", device: Sample.work,
      at: Sample.now)
    desk.send(.changed([change]))
    desk.send(.outcome(.copied(label: "github.example / password", route: "x", clearsInSeconds: 9)))
    desk.press("L")
    #expect(desk.effects.last == .lock)
    #expect(!"\(desk.session.log)\(desk.session.news)".contains("github.example"))
    let kept = desk.kept ?? []
    desk.send(.contexts([]))
    desk.send(.contexts(Sample.records()))
    desk.send(.outcome(.unlocked))
    desk.send(.signals(kept))
    let entries = desk.session.log.entries
    #expect(entries.map(\.verb).starts(with: ["unlocked", "locked", "copied", "changed"]))
    #expect(entries.first { $0.verb == "changed" }?.what == "github.example")
    #expect(entries.first { $0.verb == "copied" }?.what == "github.example / password")
  }

  @Test func signalsAreKeptHalfAMinuteAfterTheFirstAndAtTheEnd() {
    var desk = Desk.open()
    desk.send(.outcome(.note("new")))
    desk.after(seconds: 29)
    #expect(desk.kept == nil)
    #expect(desk.session.nextDeadline == Sample.now + 30_000)
    desk.after(seconds: 1)
    #expect(desk.kept == desk.session.log.entries)
    for event in [Event.clock(desk.session.now), .suspended, .closing] {
      desk.send(event)
      #expect(desk.kept == nil, "nothing is new")
    }
    for event in [Event.suspended, .closing] {
      desk.send(.outcome(.note("new")))
      desk.send(event)
      #expect(desk.kept == desk.session.log.entries)
    }
  }

  @Test func signalsOfEarlierRunsStandBehindAndStayWithinTheLimit() {
    var desk = Desk.open()
    let count = desk.session.log.entries.count
    let earlier = (0..<SignalLog.limit).map {
      SignalEntry(at: Sample.now - 86_400_000, who: "mobile", verb: "online", what: "\($0)")
    }
    desk.send(.signals(earlier))
    #expect(desk.session.log.entries.count == SignalLog.limit)
    #expect(desk.session.log.entries[count] == earlier[0])
    desk.press("L")
    desk.send(.signals(earlier))
    #expect(desk.session.log.entries.isEmpty, "a locked selector takes none")
  }

  @Test func beginningWithAnImportLeadsToItAfterTheKit() {
    var desk = Desk(.empty)
    desk.press("j j Enter Tab")
    desk.type("ann")
    desk.press("Tab Tab Tab")
    desk.type(Sample.passphrase)
    desk.press("Tab")
    desk.type(Sample.passphrase)
    desk.press("Enter")
    desk.send(.outcome(.accountCreated(kit: "A3F9K-71C2X")))
    desk.send(.profile(Sample.profile()))
    desk.send(.contexts([]))
    desk.press("y")
    desk.type("keepass my vault.xml")
    desk.press("Enter")
    #expect(desk.effects == [.importFile(format: "keepass", path: "my vault.xml")])
    desk.send(.outcome(.imported(contexts: 2, warnings: ["Item 2: it has no name."])))
    #expect(
      desk.message == "Imported 2 contexts. S shows 1 remark. Delete the file: it is readable.")
    desk.press("S")
    #expect(desk.text.contains("Item 2: it has no name."))
  }

  @Test func aKeyPutsTheLockOff() {
    var desk = Desk.open()
    desk.after(seconds: 200)
    desk.press("j")
    desk.after(seconds: 200)
    #expect(desk.effects.isEmpty)
  }

  @Test func theMarkedContextIsTheSameAfterUnlocking() {
    var desk = Desk.open()
    desk.press("L")
    desk.send(.profile(Sample.profile(Self.locked)))
    desk.send(.profile(Sample.profile()))
    desk.send(.contexts(Sample.records()))
    #expect(desk.session.contexts.selectedID == Sample.github)
  }

  @Test func whatCameWhileItWasLockedIsSaidWhenItIsOpen() {
    var desk = Desk.open()
    desk.press("L")
    desk.send(.profile(Sample.profile(Self.locked)))
    desk.send(.changed([Sample.change(.set, 2, 3, "email")]))
    desk.send(.profile(Sample.profile()))
    desk.send(.contexts(Sample.records()))
    #expect(desk.message == "~ 1 change you have not looked at  i show  S list")
    #expect(desk.session.log.entries.first?.what == "github.example / email")
    desk.press("i")
    #expect(desk.session.attribute == Sample.attribute(3))
  }

  @Test func anAccountIsCreatedAndItsSecretHasToBeConfirmed() {
    var desk = Desk(.empty)
    desk.press("Enter Tab")
    desk.type("ann")
    desk.press("Tab Tab Tab")
    desk.type(Sample.passphrase)
    desk.press("Tab")
    desk.type(Sample.passphrase)
    desk.press("Enter")
    #expect(
      desk.effects == [
        .createAccount(
          server: "http://127.0.0.1:7480", account: "ann", device: "home pc",
          passphrase: Sample.passphrase, invite: nil)
      ])
    desk.press("Enter C-s")
    #expect(desk.effects.isEmpty)
    desk.send(.outcome(.accountCreated(kit: "A3F9K-71C2X")))
    desk.send(.profile(Sample.profile()))
    desk.send(.contexts([]))
    desk.press("Esc Enter q n")
    #expect(desk.effects.isEmpty)
    #expect(desk.text.contains("A3F9K-71C2X"))
    desk.press("y")
    #expect(!desk.text.contains("A3F9K-71C2X"))
    #expect(desk.text.contains("step 4 of 4"))
    desk.press("Esc")
    #expect(desk.text.contains("No contexts yet."))
  }

  @Test(arguments: [("Enter", "home", ContextRecord.Kind.personal), ("j Enter", "work", .personal)])
  func theFirstContextIsMade(_ keys: String, name: String, kind: ContextRecord.Kind) {
    var desk = Desk(.unlocked)
    desk.press(":")
    desk.type("welcome")
    desk.press("Enter")
    desk.press(keys)
    desk.press("C-s")
    #expect(
      desk.effects.contains(
        .save([.createContext(name: name, kind: kind, attributes: [])])))
  }

  @Test func theFirstStepsLeadToAnImportToADeviceAndAway() {
    for (keys, text) in [
      ("j j Enter", ":import"), ("j j j Enter", "Pair a device"),
      ("k Enter", ":pair adds a device"), ("Esc", ":pair adds a device"),
      ("Tab Tab S-Tab j j Enter", "Pair a device"),
    ] {
      var desk = Desk.open()
      desk.press(":")
      desk.type("welcome")
      desk.press("Enter")
      desk.press(keys)
      #expect(desk.text.contains(text), "\(keys)")
    }
  }

  @Test func theFirstStepsWaitForTheStore() {
    var desk = Desk(.empty)
    desk.send(.outcome(.accountCreated(kit: "A3F9K-71C2X")))
    desk.press("y Enter")
    #expect(desk.effects.isEmpty && desk.message == "The store is being opened.")
    desk.send(.profile(Sample.profile()))
    desk.press("Enter")
    #expect(desk.text.contains("New context"))
  }

  @Test func twoDifferentPassphrasesAndAShortOneAreRefused() {
    var desk = Desk(.empty)
    desk.press("j Enter a Tab Tab")
    desk.type("short")
    desk.press("C-s")
    #expect(desk.effects.isEmpty)
    #expect(desk.text.contains("at least 8 characters"))
    desk.type(" and long")
    desk.press("C-s")
    #expect(desk.effects.isEmpty)
    #expect(desk.text.contains("not the same"))
    desk.press("C-u")
    desk.type("short and long")
    desk.press("C-s")
    #expect(
      desk.effects == [.join(code: "a", device: "home pc", passphrase: "short and long")])
  }

  @Test func aFailedFirstRunKeepsWhatWasTyped() {
    var desk = Desk(.empty)
    desk.press("j Enter")
    desk.type("code")
    desk.press("Tab Tab")
    desk.type(Sample.passphrase)
    desk.press("Tab")
    desk.type(Sample.passphrase)
    desk.press("Enter")
    desk.send(.outcome(.failed("This code was used already. Make a new one.")))
    #expect(desk.text.contains("This code was used already."))
    desk.press("C-s")
    #expect(desk.effects.count == 1)
  }

  @Test func suspendingClearsPassphrasesBeingTyped() {
    var desk = Desk(.empty)
    desk.press("j Enter Tab Tab")
    desk.type(Sample.passphrase)
    desk.press("C-r")
    #expect(desk.text.contains(Sample.passphrase))
    desk.send(.suspended)
    desk.press("C-r")
    #expect(!desk.text.contains(Sample.passphrase))
    desk.send(.continued)
    #expect(desk.effects == [.redraw])
  }

  /// Typed again at once, a passphrase would otherwise be commands: `r` renames.
  @Test func aWrongPassphraseLeavesTheFormForAPairingOpen() {
    var desk = Desk.open()
    desk.press("D + p w Enter")
    let text = "That passphrase does not open this. Nothing was changed. Try again."
    desk.send(.outcome(.pairingFailed(text)))
    #expect(desk.text.contains("Pair a device") && desk.text.contains("That passphrase does not"))
    desk.type("rename")
    desk.press("Enter")
    #expect(desk.effects == [.pair(passphrase: "rename")])
    desk.press("Esc")
    #expect(desk.effects == [.admit(false)])
  }

  @Test func aDeviceIsAdmittedOnlyByYes() {
    for (key, effect) in [("y", Effect.admit(true)), ("n", .admit(false)), ("Esc", .admit(false))] {
      var desk = Desk.open()
      desk.press("D + p w Enter")
      desk.send(.outcome(.pairingCode("7Q2M", expiresAt: Sample.now + 120_000)))
      #expect(desk.session.wantsTicks)
      desk.press("y")
      #expect(desk.effects.isEmpty)
      desk.send(.outcome(.pairingOffer(name: "mobile", words: ["a", "b", "c", "d", "e", "f"])))
      desk.press("Enter")
      #expect(desk.effects.isEmpty)
      desk.press(key)
      #expect(desk.effects == [effect])
    }
  }

  @Test func anExpiredCodeEndsThePairing() {
    var desk = Desk.open()
    desk.press("D + p w Enter")
    desk.send(.outcome(.pairingCode("7Q2M", expiresAt: Sample.now + 120_000)))
    desk.after(seconds: 120)
    #expect(desk.effects == [.admit(false)])
    #expect(!desk.text.contains("7Q2M"))
  }

  // MARK: devices

  @Test func enterShowsAndHidesTheDetailsOfADevice() {
    var desk = Desk.open()
    desk.press("D j j")
    #expect(!desk.text.contains("revision 412 of 412"))
    desk.press("Enter")
    #expect(desk.text.contains("revision 412 of 412") && desk.text.contains("2026-11-22 17:20:"))
    desk.press("k")
    #expect(desk.text.contains("revision 412 of 412"), "stays while others are marked")
    desk.press("j Enter")
    #expect(!desk.text.contains("revision 412 of 412"))
  }

  @Test func aDeviceIsRevokedWithThePassphraseAndTheKitIsShown() {
    var desk = Desk.open()
    desk.press("D j")
    let peer = desk.session.status.peers[1]
    desk.press("x")
    #expect(desk.text.contains("Revoke  \(peer.name)") && desk.text.contains("the kit change"))
    desk.press("Enter")
    #expect(desk.effects.isEmpty, "not without the passphrase")
    desk.type("its own words")
    #expect(!desk.text.contains("its own words"))
    desk.press("Enter")
    #expect(desk.effects == [.revokeDevice(peer.id, passphrase: "its own words")])
    desk.press("Enter")
    #expect(desk.effects.isEmpty, "once")
    // Wrong: it can be typed again.
    desk.send(.outcome(.failed("That passphrase does not open this.")))
    #expect(desk.text.contains("does not open"))
    desk.press("Enter")
    #expect(desk.effects.count == 1)
    desk.send(
      .outcome(.deviceRevoked(names: [peer.name], haveErased: true, kit: "7Q2M-4XKD-90PA")))
    #expect(desk.text.contains("7Q2M-4XKD-90PA"))
    desk.press("Esc")
    #expect(desk.text.contains("7Q2M-4XKD-90PA"), "only when it is written down")
    desk.press("y")
    #expect(!desk.text.contains("7Q2M-4XKD-90PA"))
  }

  @Test(arguments: ["revoke mobile", "revoke m"])
  func aDeviceIsRevokedByItsName(_ line: String) {
    var desk = Desk.open()
    desk.press(":")
    desk.type(line)
    desk.press("Enter")
    #expect(desk.text.contains("Revoke  mobile"))
    desk.press("Esc :")
    desk.type("revoke home pc")
    desk.press("Enter")
    #expect(desk.message == "Which one is home pc? There are work pc, mobile.")
  }

  @Test func aDeviceCannotRevokeItself() {
    var desk = Desk.open()
    desk.press("D x")
    #expect(desk.effects.isEmpty && desk.text.contains("cannot revoke itself"))
  }

  @Test func aDeviceIsRenamed() {
    var desk = Desk.open()
    desk.press("D j r")
    let peer = desk.session.status.peers[1]
    desk.press("C-u")
    desk.type("old pc")
    desk.press("Enter")
    #expect(desk.effects == [.renameDevice(peer.id, name: "old pc")])
    desk.send(.outcome(.deviceRenamed(name: "old pc")))
    #expect(desk.text.contains("It is called old pc now"))
  }

  @Test func anAccountIsDeletedByItsNameAndThePassphrase() {
    var desk = Desk.open()
    desk.press(":")
    desk.type("delete-account")
    desk.press("Enter")
    #expect(desk.text.contains("Delete account") && desk.text.contains("erases everything"))
    desk.press("Enter Enter")
    #expect(desk.effects.isEmpty, "not without its name")
    desk.type("ann")
    desk.press("Tab")
    desk.type("its own words")
    #expect(!desk.text.contains("its own words"))
    desk.press("Enter")
    #expect(desk.effects == [.deleteAccount(name: "ann", passphrase: "its own words")])
    desk.send(.outcome(.accountDeleted))
    #expect(desk.text.contains("The account is deleted."))
  }

  private static func desk(after command: String) -> Desk {
    var desk = Desk.open()
    desk.press(":")
    desk.type(command)
    desk.press("Enter")
    return desk
  }

  @Test(arguments: [("passphrase", false), ("leaked", true)])
  func thePassphraseIsChangedByTheOldAndTheNewTwice(_ command: String, _ isLeaked: Bool) {
    var desk = Self.desk(after: command)
    desk.type("the old words")
    desk.press("Tab")
    desk.type("short")
    desk.press("C-s")
    #expect(desk.effects.isEmpty && desk.text.contains("new: at least 8 characters"))
    desk.type(" no more")
    desk.press("Tab")
    desk.type("short no mroe")
    desk.press("C-s")
    #expect(desk.effects.isEmpty && desk.text.contains("again: this is not the same passphrase"))
    desk.press("C-u")
    desk.type("short no more")
    #expect(!desk.text.contains("no more") && !desk.text.contains("old words"))
    desk.press("C-s")
    #expect(
      desk.effects == [
        .changePassphrase(from: "the old words", to: "short no more", isLeaked: isLeaked)
      ])
    // Refused, the form stays as it was typed.
    desk.send(.outcome(.failed("That passphrase does not open this.")))
    #expect(desk.text.contains("That passphrase does not open this."))
    desk.press("C-s")
    #expect(desk.effects.count == 1)
    desk.send(.outcome(.passphraseChanged(isAdopted: false, kit: isLeaked ? "A3F9K-71C2X" : nil)))
    #expect(desk.text.contains("The passphrase is changed.") == !isLeaked)
    #expect(desk.text.contains("A3F9K-71C2X") == isLeaked)
    desk.press("y")
    #expect(!desk.text.contains("A3F9K-71C2X") && !desk.text.contains("What do you want to begin"))
  }

  @Test(arguments: [("kit", false), ("new-kit", true)])
  func theKitIsShownToWhoTypesThePassphraseAgain(_ command: String, _ isNew: Bool) {
    var desk = Self.desk(after: command)
    #expect(desk.text.contains("The old one opens nothing any more") == isNew)
    desk.press("Enter")
    #expect(desk.effects.isEmpty, "not without it")
    desk.type("its own words")
    desk.press("Enter")
    #expect(desk.effects == [.kit(passphrase: "its own words", isNew: isNew)])
    desk.send(.outcome(.kit("A3F9K-71C2X", isNew: isNew)))
    #expect(desk.text.contains("A3F9K-71C2X"))
    desk.press("y")
    #expect(!desk.text.contains("A3F9K-71C2X") && !desk.text.contains("What do you want to begin"))
  }

  @Test func anAccountIsRecoveredWithPassphraseAndKit() {
    var desk = Desk(.empty)
    desk.press("j j j Enter")
    #expect(desk.text.contains("Recover an account"))
    desk.press("C-u")
    desk.type("https://sync.example")
    desk.press("Tab")
    desk.type("ann")
    desk.press("Tab C-u")
    desk.type("home pc")
    desk.press("Tab")
    desk.press("C-s")
    #expect(desk.effects.isEmpty && desk.text.contains("kit: please type one."))
    desk.type("A3F9K-71C2X")
    desk.press("Tab")
    desk.type("its own words")
    desk.press("C-s")
    #expect(
      desk.effects == [
        .recover(
          server: "https://sync.example", account: "ann", device: "home pc",
          passphrase: "its own words", kit: "A3F9K-71C2X")
      ])
    desk.send(.outcome(.failed("The server does not accept this.")))
    #expect(desk.text.contains("The server does not accept this."))
  }

  @Test func theCopyOfADeletedAccountIsErasedByItsName() {
    var desk = Desk.open()
    var status = desk.session.status
    status.state = .deleted
    status.conflicts = 0
    status.alarms = []
    desk.send(.status(status))
    #expect(desk.text.contains("The account was deleted. This copy is to read"))
    desk.press(":")
    desk.type("delete-account")
    desk.press("Enter")
    #expect(desk.text.contains("Erase the copy of"))
    desk.type("ann")
    desk.press("Enter")
    #expect(desk.effects == [.eraseCopy(name: "ann")])
  }
}
