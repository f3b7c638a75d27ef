import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import look from './look.module.css'

type Props = { title: string; open: boolean; onClose(): void; children: ReactNode }

/** One question in front of the page; Escape and a press beside it leave it. */
export function Dialog({ title, open, onClose, children }: Props) {
  return (
    <ModalOverlay className={look.veil} isOpen={open} isDismissable onOpenChange={(is) => !is && onClose()}>
      <Modal className={look.modal}>
        <AriaDialog className={look.dialog}>
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
