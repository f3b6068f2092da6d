import Foundation
import Selector
import Storage
import Sync
import Terminal
import Vault
import Wire

/// What the session asks for.
extension Driver {
  private static let clipboardSeconds = 45

  /// Does one thing; false when it was to quit.
  func perform(_ effect: Effect) async -> Bool {
    switch effect {
    case .quit: return false
    case .unlock(let passphrase):
      do {
        let passphrase = try Passphrase(utf8: Array(passphrase.utf8))
        // A long log takes a while to open, and the screen counts along.
        Task { await unlock(passphrase) }
      } catch {
        await refuse()
      }
    case .lock: await lock()
    case .suspend: await suspend()
    case .redraw: terminal.redraw()
    case .bell: rings = true
    case .createAccount(let server, let account, let name, let passphrase, let invite):
      beginning { [folder, inbox] in
        let passphrase = try Passphrase(utf8: Array(passphrase.utf8))
        let kit = try await Onboarding.create(
          folder: folder, server: server, account: account, device: name,
          passphrase: passphrase, invite: invite)
        inbox.post(.outcome(.accountCreated(kit: kit)))
        return passphrase
      }
    case .join(let code, let name, let passphrase):
      beginning { [folder, inbox] in
        let passphrase = try Passphrase(utf8: Array(passphrase.utf8))
        try await Onboarding.join(
          folder: folder, code: code, device: name, passphrase: passphrase,
          showWords: { inbox.post(.outcome(.joinWords($0))) })
        inbox.post(.outcome(.joined))
        return passphrase
      }
    case .recover(let server, let account, let name, let passphrase, let kit):
      let work = { @Sendable [folder, inbox] in
        let passphrase = try Passphrase(utf8: Array(passphrase.utf8))
        try await Onboarding.recover(
          folder: folder, server: server, account: account, device: name,
          passphrase: passphrase, kit: kit)
        inbox.post(.outcome(.joined))
        return passphrase
      }
      beginning(work) { [inbox] device in
        _ = await device.synchronise(untilNothingMovesFor: JoinCommand.firstSync)
        inbox.post(.outcome(.note(JoinCommand.text(newest: await device.newestChange))))
      }
    case .formOpened(let context): await device?.formOpened(context)
    case .formClosed(let context): await device?.formClosed(context)
    case .save(let edits): await save(edits)
    case .keepDraft(let draft): drafts?.keep(draft)
    case .dropDraft(let id): drafts?.drop(id)
    case .keepSignals(let signals): drafts?.keep(signals)
    case .undo: await reverse(isRedo: false)
    case .redo: await reverse(isRedo: true)
    case .sync: await device?.wake()
    default: await performAside(effect)
    }
    return true
  }

  /// What changes nothing in the store.
  private func performAside(_ effect: Effect) async {
    switch effect {
    case .generate(let form):
      var entropy = SodiumEntropy()
      inbox.post(.outcome(.generated(form.recipe.generate(entropy: &entropy))))
    case .copy(let text, let label, _): copy(text, label)
    case .oneTimeCode(let attribute, let secret): oneTimeCode(attribute, secret)
    case .loadHistory(let context, let attribute):
      let versions = await device?.history(of: attribute, in: context) ?? []
      inbox.post(.outcome(.history(context, attribute, versions)))
    case .loadTrash: await loadTrash()
    case .loadPast(let at): await loadPast(at)
    case .clearAlarm(let code): await clearAlarm(code)
    case .pair(let passphrase): startPairing(passphrase)
    case .admit(let isAdmitted):
      if let admission {
        self.admission = nil
        admission.resume(returning: isAdmitted)
      }
      if !isAdmitted { endPairing() }
    case .renameDevice(let id, let name): Task { await renameDevice(id, to: name) }
    case .revokeDevice(let id, let passphrase): Task { await revokeDevice(id, passphrase) }
    case .changePassphrase(let old, let new, let isLeaked):
      Task { await changePassphrase(old, new, isLeaked: isLeaked) }
    case .kit(let passphrase, let isNew): Task { await showKit(passphrase, isNew: isNew) }
    case .deleteAccount(let name, let passphrase): Task { await deleteAccount(name, passphrase) }
    case .eraseCopy(let name): await eraseCopy(name)
    // Thousands of contexts take seconds to seal, and the screen stays a person's meanwhile.
    case .importFile(let format, let path): Task { await importFile(format, path) }
    case .exportFile(let format, let path): await exportFile(format, path)
    case .saveScreen(let path): saveScreen(path)
    case .playScript(let path):
      do {
        play(try ScriptPlayer.read(path), isAlone: false)
      } catch {
        inbox.post(.outcome(.failed(Failure(error).sentence)))
      }
    case .prefer(let preferences): prefer(preferences)
    default: break
    }
  }

  // MARK: the store

  func unlock(_ passphrase: Passphrase) async {
    guard let device else { return }
    do {
      try await device.unlock(passphrase)
      await showUnlocked()
    } catch VaultError.wrongPassphrase {
      await refuse()
    } catch DeviceError.guessedTooOften {
      await refuse()
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  func showUnlocked() async {
    guard let device, profile.phase != .unlocked else { return }
    profile.phase = .unlocked
    profile.deviceName = await device.name(of: device.settings.device)
    profile.accountName = await device.accountName()
    inbox.post([.event(.profile(profile)), .event(.outcome(.unlocked))])
  }

  private func refuse() async {
    guard let device else { return }
    let (left, wait) = await (device.guesses.left, device.guessWaitSeconds)
    inbox.post(.outcome(.wrongPassphrase(triesLeft: left, waitSeconds: wait)))
  }

  private func lock() async {
    guard let device else { return }
    endPairing()
    clearClipboard()
    await drafts?.drained()
    do {
      try await device.lock()
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
      return
    }
    say(.locked(since: Device.wallClock, reason: ""))
  }

  private func save(_ edits: [Edit]) async {
    do {
      try await device?.save(edits, immediately: false)
      inbox.post(.outcome(.saved))
    } catch {
      inbox.post(.outcome(.notSaved(Failure(error).sentence)))
    }
  }

  /// Makes the profile beside the screen, then opens and unlocks it.
  private func beginning(
    _ work: @escaping @Sendable () async throws -> Passphrase,
    then: @escaping @Sendable (Device) async -> Void = { _ in }
  ) {
    Task {
      do {
        let passphrase = try await work()
        device = try Device.open(folder)
        profile.deviceID = device?.settings.device
        profile.serverURL = device?.settings.server
        await attach()
        await unlock(passphrase)
        if let device { await then(device) }
      } catch {
        inbox.post(.outcome(.failed(Failure(error).sentence)))
      }
    }
  }

  // MARK: devices

  private func renameDevice(_ id: DeviceID, to name: String) async {
    do {
      try await device?.rename(id, to: name)
      if id == device?.settings.device {
        profile.deviceName = name
        inbox.post(.profile(profile))
      }
      inbox.post(.outcome(.deviceRenamed(name: name)))
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  private func revokeDevice(_ id: DeviceID, _ passphrase: String) async {
    do {
      let passphrase = try Passphrase(utf8: Array(passphrase.utf8))
      guard let revoked = try await device?.revoke(id, passphrase: passphrase) else { return }
      inbox.post(
        .outcome(
          .deviceRevoked(
            names: revoked.names, haveErased: revoked.haveErased, kit: revoked.kit)))
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  private func changePassphrase(_ old: String, _ new: String, isLeaked: Bool) async {
    guard let device else { return }
    do {
      let old = try Passphrase(utf8: Array(old.utf8))
      let new = try Passphrase(utf8: Array(new.utf8))
      if isLeaked {
        let kit = try await device.replaceLeakedPassphrase(old, by: new)
        inbox.post(.outcome(.passphraseChanged(isAdopted: false, kit: kit)))
      } else {
        let change = try await device.changePassphrase(from: old, to: new)
        inbox.post(.outcome(.passphraseChanged(isAdopted: change == .adopted, kit: nil)))
      }
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  private func showKit(_ passphrase: String, isNew: Bool) async {
    guard let device else { return }
    do {
      let passphrase = try Passphrase(utf8: Array(passphrase.utf8))
      let kit =
        isNew
        ? try await device.beginEpoch(without: [], passphrase: passphrase)
        : try await device.kit(passphrase)
      inbox.post(.outcome(.kit(kit, isNew: isNew)))
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  private func deleteAccount(_ name: String, _ passphrase: String) async {
    do {
      let passphrase = try Passphrase(utf8: Array(passphrase.utf8))
      guard let device else { return }
      try await device.deleteAccount(named: name, passphrase: passphrase)
      inbox.post(.outcome(.accountDeleted))
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  /// The screen ends with it.
  private func eraseCopy(_ name: String) async {
    do {
      try await device?.erase(named: name)
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  // MARK: values

  private func copy(_ text: String, _ label: String) {
    Task { [inbox, terminal] in
      let seconds = Self.clipboardSeconds
      do {
        let copied = try await ClipboardRoute.copy(
          text, by: .screen(terminal), clearAfter: seconds)
        self.keep(copied, seconds: seconds)
        inbox.post(.outcome(.copied(label: label, route: copied.words, clearsInSeconds: seconds)))
      } catch {
        inbox.post(.outcome(.failed(Failure(error).sentence)))
      }
    }
  }

  /// Remembers how to take it away, as long as it may be there. A locked selector leaves nothing.
  private func keep(_ copied: ClipboardRoute.Copied, seconds: Int) {
    clipboardTask?.cancel()
    clipboard = copied
    clipboardTask = Task {
      do {
        try await Task.sleep(for: .seconds(seconds + 1))
      } catch {
        return
      }
      self.clipboard = nil
    }
    guard profile.phase == .unlocked else { return clearClipboard() }
  }

  /// Takes away what was copied last, if it is still there.
  func clearClipboard() {
    clipboardTask?.cancel()
    guard let copied = clipboard else { return }
    clipboard = nil
    Task { await copied.clear() }
  }

  private func oneTimeCode(_ attribute: AttributeID, _ secret: String) {
    do {
      let code = try OneTimeCode(secret)
      let seconds = Device.wallClock / 1000
      inbox.post(
        .outcome(
          .oneTimeCode(
            attribute: attribute, code: code.code(at: seconds),
            secondsLeft: code.secondsLeft(at: seconds))))
    } catch {
      inbox.post(
        .outcome(.failed("This is no one-time code secret: nothing was copied.")))
    }
  }

  /// Does what the person chose, and keeps it for the next time.
  private func prefer(_ preferences: Preferences) {
    profile.preferences = preferences
    terminal.setMouse(preferences.hasMouse)
    terminal.setLinks(preferences.hasLinks)
    do {
      try FileManager.default.createDirectory(
        atPath: folder.configuration, withIntermediateDirectories: true)
      try SecureFile.write(
        Array(preferences.text.utf8), to: "\(folder.configuration)/\(Screen.preferencesFile)")
    } catch {
      let reason = Failure(error).sentence
      inbox.post(.outcome(.failed("This holds until you quit; it was not kept: \(reason)")))
    }
  }

  // MARK: files

  private func importFile(_ format: String, _ path: String) async {
    guard let device else { return }
    do {
      guard let format = ImportFormat(rawValue: format) else {
        let known = ImportFormat.allCases.map(\.rawValue).joined(separator: ", ")
        throw Failure(.usage, "There is no format \(format), only \(known). Nothing was changed.")
      }
      let path = (path as NSString).expandingTildeInPath
      let imported = try format.read(try await importBytes(format, path))
      if !imported.edits.isEmpty { try await device.save(imported.edits, immediately: true) }
      inbox.post(
        .outcome(.imported(contexts: imported.edits.count, warnings: imported.warnings)))
    } catch {
      inbox.post(.progress(nil))
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  private func importBytes(_ format: ImportFormat, _ path: String) async throws -> [UInt8] {
    let limit = ImportLimits.fileBytes
    guard format == .pass else {
      return try await SystemConsole().read(.file(path), limitBytes: limit)
    }
    return try await SystemConsole.waiting { [inbox] isCancelled in
      try PasswordStore(folder: path, asks: false).read(
        limitBytes: limit, isCancelled: isCancelled
      ) { done, total in
        inbox.post(.progress(SyncProgress(done: done, total: total, what: "decrypting")))
      }
    }
  }

  private func exportFile(_ format: String, _ path: String) async {
    guard let device else { return }
    do {
      let replica = await device.replica
      let contexts = replica.contexts
      let history = { replica.history(of: $0, in: $1) }
      let bytes: [UInt8]
      switch format {
      case "bitwarden": bytes = try BitwardenExport.write(contexts, history: history)
      case "json": bytes = try JSONExport.write(contexts, history: history)
      default: throw Failure(.usage, "Export as bitwarden or json. Nothing was written.")
      }
      let path = (path as NSString).expandingTildeInPath
      try SecureFile.write(bytes, to: path)
      inbox.post(.outcome(.note("Exported in plain text to \(path). Delete it after use.")))
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  private func saveScreen(_ path: String) {
    do {
      try ScriptPlayer.write(Shown(frame: session.view(), theme: theme), to: path)
      inbox.post(.outcome(.note("The screen was saved to \(path).")))
    } catch {
      inbox.post(.outcome(.failed(Failure(error).sentence)))
    }
  }

  // MARK: pairing

  private func startPairing(_ passphrase: String) {
    guard let device, pairing == nil else { return }
    pairing = Task { [inbox] in
      do {
        let name = try await device.pair(
          PairingExchange(
            showCode: { inbox.post(.outcome(.pairingCode($0, expiresAt: $1))) },
            confirm: { name, words in await self.confirm(name, words) }),
          passphrase: Passphrase(utf8: Array(passphrase.utf8)))
        inbox.post(.outcome(.pairingDone(name: name.name)))
      } catch is CancellationError {
        inbox.post(.outcome(.pairingFailed("Pairing was cancelled. Nothing was changed.")))
      } catch {
        inbox.post(.outcome(.pairingFailed(Failure(error).sentence)))
      }
      self.pairingEnded()
    }
  }

  private func confirm(_ name: String, _ words: [String]) async -> Bool {
    inbox.post(.outcome(.pairingOffer(name: name, words: words)))
    return await withCheckedContinuation { admission = $0 }
  }

  private func pairingEnded() { pairing = nil }

  func endPairing() {
    pairing?.cancel()
    admission?.resume(returning: false)
    admission = nil
  }
}
