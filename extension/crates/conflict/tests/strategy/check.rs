//! What must hold in the end.

use crate::world::{Rules, World, Write};
use conflict::Change;

/// So often all nodes compare, at most, once nothing is under way.
const ROUNDS: usize = 12;

impl World {
    /// Nothing is under way: the nodes compare until nobody has anything left to compare.
    /// `deletions`: none of them is lost either. In long histories they lose with one another in too many ways.
    pub fn settle(&mut self, rules: &Rules, deletions: bool) -> Result<(), String> {
        for _ in 0..ROUNDS {
            for node in 0..self.nodes.len() {
                if self.has_to_compare(node) {
                    self.prove(node, rules);
                }
            }
        }
        let nodes = 0..self.nodes.len();
        if nodes.clone().any(|node| !self.same(node, 0)) {
            let open: Vec<bool> = nodes.map(|node| self.has_to_compare(node)).collect();
            return Err(format!("the nodes differ; who still compares: {open:?}"));
        }
        if nodes.clone().any(|node| self.has_to_compare(node)) {
            return Err("the nodes agree and go on comparing".into());
        }
        self.nothing_is_lost(deletions)
    }

    /// Each write stands, was seen by a later one, or is in a log. A deletion is lost when what it deleted lives on and no
    /// deletion of the same row is in a log.
    fn nothing_is_lost(&self, deletions: bool) -> Result<(), String> {
        let known = |id: u8| self.logged().any(|write| write.id == id);
        let over = |id: u8| self.writes.iter().any(|write| write.id != id && write.over == id);
        let line = self.line(self.nodes[0].held.write);
        let lost = self.writes.iter().find(|write| {
            !known(write.id)
                && match (write.change, write.before) {
                    (Change::Delete, Some(row)) => deletions && line.contains(&row) && !self.deletion_is_known(row),
                    _ => !line.contains(&write.id) && !over(write.id),
                }
        });
        lost.map_or(Ok(()), |write| Err(format!("write {} is lost in silence", write.id)))
    }

    /// All writes in the logs of all nodes.
    fn logged(&self) -> impl Iterator<Item = &Write> {
        let entries = self.nodes.iter().flat_map(|node| &node.logged);
        entries.flat_map(|(one, other)| [*one, *other]).map(|write| &self.writes[write as usize])
    }

    /// Whether a deletion of that row is in a log, or what its node wrote after it: it lost with that. Or any deletion beside
    /// a change of that row.
    fn deletion_is_known(&self, row: u8) -> bool {
        let deletes = |write: &Write| write.change == Change::Delete;
        let of_row = |write: &Write| write.before == Some(row);
        let came_after = |write: &Write| {
            let mut deletions = self.writes.iter().filter(|deletion| deletes(deletion) && of_row(deletion));
            deletions.any(|deletion| write.node == deletion.node && write.id >= deletion.id)
        };
        let mut entries = self.nodes.iter().flat_map(|node| &node.logged);
        self.logged().any(came_after)
            || entries.any(|(one, other)| {
                let sides = [self.writes[*one as usize], self.writes[*other as usize]];
                sides.iter().any(of_row) && sides.iter().any(deletes)
            })
    }

    /// The rows that went before a row, back to its insertion; none without a row.
    fn line(&self, write: u8) -> Vec<u8> {
        let mut line = Vec::new();
        let mut next = Some(write).filter(|write| self.writes[*write as usize].change != Change::Delete);
        while let Some(write) = next {
            line.push(write);
            next = self.writes[write as usize].before;
        }
        line
    }

    /// The same for worlds that cannot be told apart from now on.
    pub fn key(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (&self.nodes, &self.sent, self.applied, self.proofs).hash(&mut hasher);
        for write in &self.writes {
            (write.id, write.node, write.before, write.over, write.change == Change::Delete).hash(&mut hasher);
        }
        hasher.finish()
    }
}
