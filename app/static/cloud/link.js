// Clouds of the same rows side by side: what is pointed at or chosen in one is so in the others too.

const groups = new Map();

/** Joins `group`; `view` has total, hear(what, value). Returns {tell(what, value), leave()}. */
export function join(group, view) {
  const members = groups.get(group) ?? new Set();
  groups.set(group, members);
  members.add(view);
  return {
    tell: (what, value) => {
      for (const other of members) if (other !== view && other.total === view.total) other.hear(what, value);
    },
    leave: () => {
      members.delete(view);
      if (!members.size) groups.delete(group);
    },
  };
}
