import Vault
import Wire

/// Collects the operations of one edit, all of one time.
struct OperationWriter {
  let time: HybridTime
  var context: ContextID
  /// The change set that the edit takes back.
  var undoes: ChangeSet.ID?
  private(set) var operations: [Operation] = []

  init(time: HybridTime, context: ContextID) {
    self.time = time
    self.context = context
  }

  @discardableResult
  mutating func write(
    _ register: Operation.Register, _ content: Operation.Content?, of attribute: AttributeID? = nil,
    over supersedes: [VersionID], seen: [VersionID]? = nil, at earlier: HybridTime? = nil,
    copies: VersionID? = nil, as id: VersionID? = nil, _ entropy: inout some Entropy
  ) -> VersionID {
    let version: VersionID = id ?? entropy.identifier()
    operations.append(
      Operation(
        context: context, attribute: attribute, register: register, version: version,
        supersedes: supersedes, time: earlier ?? time, content: content, seen: seen,
        undoes: undoes, copies: copies))
    return version
  }

  /// Writes versions of one register again, each over itself or all over `supersedes`.
  ///
  /// They get one time, so that ids decide which is shown: the one that was shown gets the
  /// greatest.
  mutating func writeCopies(
    of versions: [Version], _ register: Operation.Register, of attribute: AttributeID?,
    over supersedes: [VersionID]? = nil, _ entropy: inout some Entropy
  ) {
    var ids: [VersionID] = []
    for _ in versions { ids.append(entropy.identifier()) }
    ids.sort(by: >)
    for (version, id) in zip(versions.sorted(by: Version.isShownBefore), ids) {
      write(
        register, version.content, of: attribute, over: supersedes ?? [version.id],
        copies: version.id, as: id, &entropy)
    }
  }
}
