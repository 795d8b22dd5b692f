import { Background, Controls, Handle, Position, ReactFlow, type Node, type NodeProps } from '@xyflow/react'
import '@xyflow/react/dist/style.css'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { Schemas } from '../api/client.ts'
import { t } from '../strings/server.ts'
import { stateLook } from '../text.ts'
import { Mark, toneSoft } from '../ui/status.tsx'
import { edgesOf, placesOf } from './graph-layout.ts'

type Stack = Schemas['Stack']
type StackNode = Node<{ repository: string; stack: Stack }, 'stack'>
const TYPES = { stack: StackBox }

export function DependencyGraph({ repository, stacks }: { repository: string; stacks: readonly Stack[] }) {
  const edges = useMemo(() => edgesOf(stacks), [stacks])
  const nodes = useMemo((): StackNode[] => {
    const places = placesOf(stacks, edges)
    return stacks.map((stack) => ({
      id: stack.id,
      type: 'stack',
      position: places.get(stack.id)!,
      data: { repository, stack },
    }))
  }, [repository, stacks, edges])
  return (
    <div className="h-[70vh] rounded-lg border border-line bg-panel">
      <ReactFlow
        nodes={nodes}
        edges={edges.map(({ from, to }) => ({
          id: `${from} ${to}`,
          source: from,
          target: to,
          style: { stroke: 'var(--color-strong-line)' },
        }))}
        nodeTypes={TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        fitView
        fitViewOptions={{ maxZoom: 1 }}
        minZoom={0.1}
        onlyRenderVisibleElements
        proOptions={{ hideAttribution: true }}
        aria-label={t.graphOfStacks}
      >
        <Background color="var(--color-line)" />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  )
}

/** Characters that a box holds. */
const FITS = 20
/** Names that begin alike are told apart by their ends. */
const shortened = (name: string): string => (name.length > FITS ? `…${name.slice(1 - FITS)}` : name)

function StackBox({ data: { repository, stack } }: NodeProps<StackNode>) {
  const look = stateLook(stack.state)
  return (
    <>
      <Handle type="target" position={Position.Left} className="opacity-0" />
      <Link
        to="/r/$repository/stacks/$"
        params={{ repository, _splat: `${stack.environment}/${stack.name}` }}
        title={[stack.name, stack.stateReason ?? look.meaning].join('\n')}
        className={`flex w-48 items-center gap-2 rounded border border-line px-2 py-1.5 ${toneSoft(look.tone)} hover:border-strong-line`}
      >
        <Mark look={look} label />
        <span className="truncate font-medium">{shortened(stack.name)}</span>
      </Link>
      <Handle type="source" position={Position.Right} className="opacity-0" />
    </>
  )
}
