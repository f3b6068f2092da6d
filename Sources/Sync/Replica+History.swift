import HashTreeCollections
public import Wire

/// What was there before.
extension Replica {
  /// Every value an attribute ever had, oldest first; deletions have no text.
  public func history(of attribute: AttributeID, in context: ContextID) -> [ValueRecord] {
    guard let register = states[context]?.attributes[attribute]?.value else { return [] }
    let heads = Set(register.headIDs)
    return register.history.map { $0.record(isHead: heads.contains($0.id)) }
  }

  /// Every name and every value in a context, deleted or not, oldest first. `attribute` is nil and
  /// `label` "name" for names.
  public func history(
    of context: ContextID
  ) -> [(attribute: AttributeID?, label: String, value: ValueRecord)] {
    guard let state = states[context] else { return [] }
    let names = Set(state.description.headIDs)
    var lines: [(attribute: AttributeID?, label: String, value: ValueRecord)] =
      state.description.versions.map { version in
        (
          nil, "name",
          ValueRecord(
            id: version.id, device: version.device, at: version.time.milliseconds,
            text: version.content?.name, isHead: names.contains(version.id))
        )
      }
    for (id, attribute) in state.attributes {
      let label = attribute.description.lastHeads.lazy.compactMap(\.content?.label).first ?? ""
      let heads = Set(attribute.value.headIDs)
      lines += attribute.value.versions.map {
        (id, label, $0.record(isHead: heads.contains($0.id)))
      }
    }
    return lines.sorted {
      $0.value.at != $1.value.at ? $0.value.at < $1.value.at : $0.value.id < $1.value.id
    }
  }

  /// The identity as it was at a moment, milliseconds since 1970: a fold of what was written until
  /// then, by the clocks of those who wrote it. History that was given up is not in it. O(n).
  public func asOf(_ milliseconds: Int64) -> Replica {
    var past = Replica(own: own, confirmed: confirmed)
    for (id, state) in states {
      let then = state.mapped { _, register in
        register.filtered { $0.time.milliseconds <= milliseconds }
      }
      guard then != Context() else { continue }
      past.states[id] = then
      past.refresh(id)
    }
    past.clock = clock
    past.touched = []
    return past
  }
}
