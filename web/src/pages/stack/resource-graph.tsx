import { Background, Controls, Handle, Position, ReactFlow, type Node, type NodeProps } from '@xyflow/react'
import '@xyflow/react/dist/style.css'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { t } from '../../strings/stack.ts'
import { healthLook } from '../../text.ts'
import { Mark, toneSoft } from '../../ui/status.tsx'
import { type Resource, type TreeNode, treeOf } from './resource-tree.ts'

type GraphNode = Node<{ repository: string; node: TreeNode; onOpen: () => void }, 'part'>
const TYPES = { part: Part }

/** Resources in what holds them, in the colours of their health; of many healthy ones of a kind the number, until asked. */
export function ResourceGraph({
  repository,
  resources,
  needs,
  dotted,
}: {
  repository: string
  resources: readonly Resource[]
  needs: ReadonlyMap<string, readonly string[]>
  /** The parts of a name stand between dots. */
  dotted: boolean
}) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set())
  const { nodes, edges } = useMemo(() => treeOf(resources, open, needs, dotted), [resources, open, needs, dotted])
  const shown = useMemo(
    () =>
      nodes.map(
        (node): GraphNode => ({
          id: node.id,
          type: 'part',
          position: { x: node.x, y: node.y },
          data: {
            repository,
            node,
            onOpen: () => setOpen((before) => new Set([...before, node.id.slice('rest '.length)])),
          },
        }),
      ),
    [repository, nodes],
  )
  const height = Math.max(0, ...nodes.map(({ y }) => y)) + 120
  return (
    <div className="max-h-[60vh]" style={{ height: Math.max(height, 200) }}>
      <ReactFlow
        nodes={shown}
        edges={edges.map(({ from, to, kind }) => ({
          id: `${kind} ${from} ${to}`,
          source: from,
          target: to,
          style:
            kind === 'needs'
              ? { stroke: 'var(--color-accent)', strokeDasharray: '4 3' }
              : { stroke: 'var(--color-strong-line)' },
        }))}
        nodeTypes={TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        fitView
        fitViewOptions={{ maxZoom: 1, minZoom: 0.5 }}
        minZoom={0.1}
        onlyRenderVisibleElements
        proOptions={{ hideAttribution: true }}
        aria-label={t.graphOfResources}
      >
        <Background color="var(--color-line)" />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  )
}

function Part({ data: { repository, node, onOpen } }: NodeProps<GraphNode>) {
  const look = healthLook(node.health)
  const { kind, label, why, run, count } = node
  const box = `flex h-8 w-64 items-center gap-2 rounded border border-line px-2 text-left ${toneSoft(look.tone)} hover:border-strong-line`
  const text = (
    <>
      <Mark look={look} label />
      <span className={`truncate ${kind === 'group' ? 'font-medium' : ''}`}>{shortOf(node)}</span>
      {kind === 'group' && <span className="ml-auto text-sm text-muted tabular-nums">{count}</span>}
    </>
  )
  const title = why ? `${label}: ${why}` : label
  return (
    <>
      <Handle type="target" position={Position.Left} className="opacity-0" />
      {kind === 'rest' ? (
        <button type="button" className={box} onClick={onOpen} title={t.showThem(label)}>
          {text}
        </button>
      ) : kind === 'resource' && run !== null ? (
        <Link to="/r/$repository/runs/$run" params={{ repository, run }} className={box} title={title}>
          {text}
        </Link>
      ) : (
        <div className={box} title={title}>
          {text}
        </div>
      )}
      <Handle type="source" position={Position.Right} className="opacity-0" />
    </>
  )
}

/** So many characters fit; the end of a name tells more than its beginning. */
const FITS = 24

/** Below a group only what differs from its name. */
function shortOf({ kind, label }: TreeNode): string {
  const text = kind === 'resource' ? label.split(/: |\//).at(-1) || label : label
  return kind === 'group' && text.length > FITS ? `…${text.slice(1 - FITS)}` : text
}
